// A Slurm of this test's own: a controller and its nodes on this machine, with their own key, ports and folders. A node
// may have a network and a host name of its own, so that it can be lost as a machine is.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCommand } from '../support/compression.js';

const NEEDED = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'sinfo', 'scontrol'];

export const hasSlurm = process.getuid?.() === 0 && NEEDED.every(hasCommand);
export const NO_SLURM = 'no Slurm and munge are installed, or this is not root';

/** How long the daemons may take to start, and a cluster to reach a state. */
const PATIENCE = 60_000;

export interface Node {
  readonly name: string;
  readonly address: string;
  /** Words before the command that starts the node's daemon. */
  readonly within: readonly string[];
}

export class Slurm {
  private readonly daemons: ChildProcess[] = [];
  readonly env: NodeJS.ProcessEnv;

  private constructor(
    private readonly folder: string,
    env: NodeJS.ProcessEnv,
  ) {
    this.env = { ...env, SLURM_CONF: join(folder, 'slurm.conf') };
  }

  /**
   * Starts a controller and nodes of two processors each, and waits until they accept jobs.
   * @param controller  address of this machine that the nodes reach
   */
  static async start(
    folder: string,
    env: NodeJS.ProcessEnv,
    controller: string,
    nodes: readonly Node[],
  ): Promise<Slurm> {
    const slurm = new Slurm(folder, env);
    try {
      await slurm.startAll(controller, nodes);
    } catch (error) {
      await slurm.stop();
      throw error;
    }
    return slurm;
  }

  private async startAll(controller: string, nodes: readonly Node[]): Promise<void> {
    const key = join(this.folder, 'munge.key');
    writeFileSync(key, randomBytes(128), { mode: 0o400 });
    for (const name of ['state', ...nodes.map(node => `spool-${node.name}`)])
      mkdirSync(join(this.folder, name));
    writeFileSync(this.env.SLURM_CONF!, await this.configuration(controller, nodes));
    const munge = ['key-file=munge.key', 'socket=munge.socket', 'pid-file=munge.pid', 'log-file=munge.log'];
    const files = [...munge, 'seed-file=munge.seed'].map(
      option => `--${option.replace('=', `=${this.folder}/`)}`,
    );
    // The folders above are writable by all, as /tmp is.
    this.daemon('munged', ['munged', '--foreground', '--force', ...files]);
    this.daemon('slurmctld', this.named('control', ['slurmctld', '-D']));
    for (const node of nodes) this.startNode(node);
    await this.until(() => this.output('sinfo', '-h', '-t', 'idle', '-o', '%D').trim() === `${nodes.length}`);
  }

  startNode({ name, within }: Node): void {
    this.daemon(`slurmd-${name}`, [...within, ...this.named(name, ['slurmd', '-D', '-N', name])]);
  }

  /** A command with a host name of its own. */
  private named(name: string, command: readonly string[]): string[] {
    return ['unshare', '--uts', 'sh', '-c', `hostname ${name} && exec "$@"`, 'sh', ...command];
  }

  private daemon(log: string, [program, ...args]: readonly string[]): void {
    const output = openSync(join(this.folder, `${log}.log`), 'a');
    this.daemons.push(spawn(program!, args, { env: this.env, stdio: ['ignore', output, output] }));
    closeSync(output);
  }

  private async configuration(controller: string, nodes: readonly Node[]): Promise<string> {
    const [first, second] = [await freePort(), await freePort()];
    const own = (name: string) => join(this.folder, name);
    const addresses = nodes.map(({ name, address }, at) => {
      // Nodes with one address need a port each.
      const port = nodes.filter(node => node.address === address).length > 1 ? second + at : second;
      return `NodeName=${name} NodeAddr=${address} Port=${port} CPUs=2`;
    });
    return `${[
      'ClusterName=fleet',
      `SlurmctldHost=control(${controller})`,
      'SlurmUser=root',
      `AuthInfo=socket=${own('munge.socket')}`,
      `SlurmctldPort=${first}`,
      `SlurmctldPidFile=${own('slurmctld.pid')}`,
      `SlurmdPidFile=${own('slurmd-%n.pid')}`,
      `StateSaveLocation=${own('state')}`,
      `SlurmdSpoolDir=${own('spool-%n')}`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'JobAcctGatherType=jobacct_gather/none',
      'AccountingStorageType=accounting_storage/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core',
      'SchedulerParameters=bf_interval=1,sched_interval=1',
      'MpiDefault=none',
      'ReturnToService=2',
      ...addresses,
      'PartitionName=main Nodes=ALL Default=YES State=UP',
    ].join('\n')}\n`;
  }

  /** The output of a command of Slurm; nothing if it fails. */
  output(program: string, ...args: readonly string[]): string {
    return spawnSync(program, args, { env: this.env, encoding: 'utf8' }).stdout ?? '';
  }

  run(program: string, ...args: readonly string[]): string {
    return execFileSync(program, args, { env: this.env, encoding: 'utf8' });
  }

  /** Waits until there is no job that runs or will run. */
  ended(): Promise<void> {
    return this.until(() => this.output('squeue', '-h', '-o', '%i').trim() === '');
  }

  async until(reached: () => boolean): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!reached()) {
      if (Date.now() > end) throw new Error(`Slurm did not get there:\n${this.logs()}`);
      await wait(100);
    }
  }

  private logs(): string {
    const state = [this.output('sinfo'), this.output('squeue', '-r')];
    const text = readFileSync(join(this.folder, 'slurmctld.log'), 'utf8');
    return [...state, text.slice(-2000)].join('\n');
  }

  /** Ends all daemons that this object started. */
  async stop(): Promise<void> {
    for (const child of [...this.daemons].reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(late);
    }
  }
}

/** A port that no program uses now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
