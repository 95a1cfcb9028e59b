import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { grouped } from '../src/spec/grouped.js';
import { wrapped } from './prose.js';

/** A name that a door exports, and the module that declares it. */
export interface PublicName {
  readonly name: string;
  /** Path below src, without its extension. */
  readonly module: string;
  readonly isType: boolean;
}

/** The names that a door exports: src/index.ts and src/commands.ts list them one by one, each with its module. */
export function publicNames(source: string, door: string): PublicName[] {
  const text = readFileSync(join(source, `${door}.ts`), 'utf8');
  return [...text.matchAll(/^export (type )?\{([^}]*)\} from '\.\/([^']+)\.js';$/gm)].flatMap(
    ([, allTypes, list, module]) =>
      list!
        .split(',')
        .map(item => item.trim())
        .filter(item => item !== '')
        .map(item => ({
          name: item.replace(/^type /, ''),
          module: module!,
          isType: allTypes !== undefined || item.startsWith('type '),
        })),
  );
}

/** The top-level declarations of a module, without comments, by their names. */
function declarationsOf(compiled: string, module: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(compiled, `${module}.d.ts`), 'utf8').replace(/^\s*\/\*[\s\S]*?\*\/\n/gm, '');
  const declared = new Map<string, string>();
  const START =
    /^(?:export )?(?:declare )?(?:abstract )?(?:function|const|class|interface|type) (\w+)[\s\S]*?(?=^\S(?<![})\]]))/gm;
  for (const [declaration, name] of `${text}\nend\n`.matchAll(START)) {
    const plain = declaration.trim().replace(/^(export )?(declare )?/, '');
    declared.set(name!, declared.has(name!) ? `${declared.get(name!)}\n${plain}` : plain);
  }
  return declared;
}

/** Re-exports lead to the module that declares a name. */
function declarationOf(compiled: string, { name, module }: PublicName): readonly string[] {
  const declared = declarationsOf(compiled, module);
  const own = declared.get(name);
  if (own === undefined) {
    const text = readFileSync(join(compiled, `${module}.d.ts`), 'utf8');
    const lists = [...text.matchAll(/(?:export|import) (?:type )?\{([^}]*)\} from '([^']+)\.js'/g)];
    const from = lists.find(([, list]) => new RegExp(`\\b${name}\\b`).test(list!))?.[2];
    if (from === undefined) throw new Error(`${module} does not declare ${name}`);
    return declarationOf(compiled, { name, module: join(dirname(module), from), isType: true });
  }
  const exported = readFileSync(join(compiled, `${module}.d.ts`), 'utf8');
  const isLocal = (other: string) => !new RegExp(`^export .*\\b${other}\\b`, 'm').test(exported);
  const locals = [...declared].filter(
    ([other]) => other !== name && isLocal(other) && new RegExp(`\\b${other}\\b`).test(own),
  );
  return [own, ...locals.map(([, text]) => text)];
}

const block = (lines: readonly string[]) => `\`\`\`ts\n${lines.join('\n')}\n\`\`\`\n`;

/** docs/api.md */
export function apiPage(root: string): string {
  const [source, compiled] = [join(root, 'src'), join(root, 'dist/src')];
  const first = publicNames(source, 'index').sort((a, b) => (a.name < b.name ? -1 : 1));
  const declared = first.map(one => ({ one, texts: declarationOf(compiled, one) }));
  const said = new Set<string>();
  const stable = declared.map(({ one, texts }) => {
    const fresh = texts.filter(text => !said.has(text));
    for (const text of fresh) said.add(text);
    return `### ${one.name}\n\n${block(fresh)}`;
  });
  const modules = grouped(publicNames(source, 'commands'), ({ module }) => module);
  const others = [...modules].map(([module, names]) => {
    const values = names
      .filter(({ isType }) => !isType)
      .flatMap(one => declarationOf(compiled, one).slice(0, 1));
    const types = names.filter(({ isType }) => isType).map(({ name }) => `type ${name}`);
    return `### ${module}.ts\n\n${block([...values.map(signature), ...types])}`;
  });
  return wrapped(`<!-- Made by docs/api.ts from src/index.ts and src/commands.ts: \`npm run docs\`. -->
# Public names

What changes here changes for those who use waybill as a library. How to use it, and what is stable: [As a library](library.md).

## waybill

${stable.join('\n')}
## waybill/commands

Not stable: names and signatures may change in any version.

${others.join('\n')}`);
}

/** Of a class only its name and what it extends. */
const signature = (declaration: string) =>
  declaration.startsWith('class ') ? declaration.replace(/\s*\{[\s\S]*$/, '') : declaration;
