/**
 * What the extension's bundles ask Node.js for, in order, from when this file is loaded: chunks of their own, packages
 * that are not in them, modules of Node.js and VS Code.
 */
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { extension } from './machine';

export interface Loaded {
  readonly name: string;
  /** Before `activate` has returned. */
  readonly waking: boolean;
}

export const loaded: Loaded[] = [];

/** Chunks of the extension without the path and "extension-". */
export const chunks = (): string[] =>
  loaded.flatMap(({ name }) => /^\.\/extension-(.*)\.js$/.exec(name)?.slice(1) ?? []);

type Load = (
  this: unknown,
  name: string,
  by: { readonly filename?: string | null } | undefined,
  ...rest: unknown[]
) => unknown;

const bundles = join(extension().extensionPath, 'dist');
const owner = Module as unknown as { _load: Load };
const load = owner._load;
owner._load = function (name, by, ...rest) {
  if (dirname(by?.filename ?? '') === bundles) {
    loaded.push({ name, waking: /\bactivate \(.*extension\.js/.test(new Error().stack ?? '') });
  }
  return load.call(this, name, by, ...rest);
};
