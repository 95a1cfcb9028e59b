import type { Image } from '../link/graph.js';
import type { HistoryEntry } from '../spec/config.js';
import { goField, isObject, type Json, type JsonObject } from '../spec/json.js';

/** Settings of a config for running a container. A setting that is absent or invalid is empty or null. */
export interface ImageSettings {
  /** `NAME=value`, as written. */
  readonly env: readonly string[];
  readonly workingDir: string | null;
  /** `80/tcp`, as written. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck: Healthcheck | null;
  /** Name or number. */
  readonly stopSignal: string | null;
  /** Words of the shell form of instructions; empty where the default holds. */
  readonly shell: readonly string[];
  /** All steps, base first, including those without a layer. */
  readonly history: readonly HistoryEntry[];
}

/** Durations are in nanoseconds; null for the engine's default. moby HealthcheckConfig */
export interface Healthcheck {
  /** `NONE`; `CMD` and arguments; `CMD-SHELL` and a command. Empty to inherit the base image's. */
  readonly test: readonly string[];
  readonly interval: number | null;
  readonly timeout: number | null;
  readonly startPeriod: number | null;
  readonly startInterval: number | null;
  readonly retries: number | null;
}

export function settingsOf({ config }: Image): ImageSettings {
  const run = objectIn(config?.document?.value, 'config');
  const parsed = config?.parsed ?? null;
  return {
    env: parsed?.run.env ?? [],
    workingDir: textIn(run, 'WorkingDir'),
    exposedPorts: keysIn(run, 'ExposedPorts'),
    volumes: keysIn(run, 'Volumes'),
    healthcheck: healthcheckIn(run),
    stopSignal: textIn(run, 'StopSignal'),
    shell: textsIn(run, 'Shell'),
    history: parsed?.history ?? [],
  };
}

function objectIn(value: Json | undefined, key: string): JsonObject | null {
  const found = isObject(value) ? goField(value, key) : undefined;
  return isObject(found) ? found : null;
}

function textIn(object: JsonObject | null, key: string): string | null {
  const value = object === null ? undefined : goField(object, key);
  return typeof value === 'string' && value !== '' ? value : null;
}

function textsIn(object: JsonObject | null, key: string): string[] {
  const value = object === null ? undefined : goField(object, key);
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}

const keysIn = (object: JsonObject | null, key: string): string[] =>
  Object.keys(object === null ? {} : (objectIn(object, key) ?? {}));

function healthcheckIn(run: JsonObject | null): Healthcheck | null {
  const check = run === null ? null : objectIn(run, 'Healthcheck');
  if (check === null) return null;
  const number = (key: string) => {
    const value = goField(check, key);
    return typeof value === 'number' && value !== 0 ? value : null;
  };
  return {
    test: textsIn(check, 'Test'),
    interval: number('Interval'),
    timeout: number('Timeout'),
    startPeriod: number('StartPeriod'),
    startInterval: number('StartInterval'),
    retries: number('Retries'),
  };
}
