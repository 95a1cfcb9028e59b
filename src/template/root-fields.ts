// What a template can touch of its data, so that what it cannot touch need not be read.
import type { Action, Operand, Pipeline, Template } from './nodes.js';

interface Finding {
  readonly template: Template;
  readonly fields: Set<string>;
  /** Templates that have been looked into with the root as their dot. */
  readonly seen: Set<string>;
  whole: boolean;
}

/**
 * Names of the root value's fields and methods, promoted ones among them, that the template may use; null where it may
 * use the value whole.
 */
export function rootFields(template: Template): ReadonlySet<string> | null {
  const finding: Finding = { template, fields: new Set(), seen: new Set(['']), whole: false };
  scan(finding, template.bodies.get('') ?? [], true, true);
  return finding.whole ? null : finding.fields;
}

/** `dot` and `dollar`: whether they are the root here. */
function scan(finding: Finding, actions: readonly Action[], dot: boolean, dollar: boolean): void {
  for (const action of actions) {
    switch (action.kind) {
      case 'action':
        pipeline(finding, action.pipeline, dot, dollar);
        break;
      case 'template':
        if (action.pipeline !== null) invocation(finding, action.name, action.pipeline, dot, dollar);
        break;
      case 'if':
      case 'range':
      case 'with': {
        const inner = action.kind === 'if' ? dot : false;
        pipeline(finding, action.pipeline, dot, dollar);
        scan(finding, action.body, inner, dollar);
        scan(finding, action.otherwise ?? [], dot, dollar);
      }
    }
  }
}

/** A template that gets the root itself is looked into; any other argument is a pipeline like any other. */
function invocation(finding: Finding, name: string, argument: Pipeline, dot: boolean, dollar: boolean): void {
  const only = argument.commands.length === 1 ? argument.commands[0]!.operands : [];
  const [operand] = only;
  const isRoot =
    only.length === 1 &&
    argument.variables.length === 0 &&
    ((operand!.kind === 'dot' && dot) ||
      (operand!.kind === 'variable' && operand!.name === '$' && operand!.path.length === 0 && dollar));
  if (!isRoot) pipeline(finding, argument, dot, dollar);
  else if (!finding.seen.has(name)) {
    finding.seen.add(name);
    scan(finding, finding.template.bodies.get(name) ?? [], true, true);
  }
}

function pipeline(finding: Finding, { commands }: Pipeline, dot: boolean, dollar: boolean): void {
  for (const command of commands) {
    for (const operand of command.operands) touch(finding, operand, dot, dollar);
  }
}

function touch(finding: Finding, node: Operand, dot: boolean, dollar: boolean): void {
  if (node.kind === 'pipeline') pipeline(finding, node, dot, dollar);
  else if (node.kind === 'chain') touch(finding, node.operand, dot, dollar);
  else if (node.kind === 'dot') finding.whole ||= dot;
  else if (node.kind === 'field' && dot) finding.fields.add(node.path[0]!);
  else if (node.kind === 'variable' && node.name === '$' && dollar) {
    if (node.path.length === 0) finding.whole = true;
    else finding.fields.add(node.path[0]!);
  }
}
