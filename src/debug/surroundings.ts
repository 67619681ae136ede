/** What the adapter needs of the program that it runs in; VS Code's are in ui/debug, tests have their own. */
import type { LaunchPlan } from './configuration';

export interface Launched {
  readonly tag: string;
  /** Where its daemon takes debuggers. */
  readonly debugSocket: string;
  /** Port on which the daemon's JavaScript can be debugged. */
  readonly inspectorPort: number | undefined;
  /** The guest starts: before that nothing asks anything of the share. */
  begin(): void;
  /** Resolves when the guest is up; rejects with a Trouble when it does not come up. */
  readonly up: Promise<void>;
  /** Resolves to how the guest has ended. */
  readonly ended: Promise<string>;
  /** Runs a shell script in the guest, in the shared folder. */
  run(script: string): Promise<{ readonly status: number; readonly output: string }>;
  stop(): Promise<void>;
}

export interface ShareToAttach {
  readonly title: string;
  readonly debugSocket: string;
}

export interface Surroundings {
  /** Shares a folder into a guest; resolves as soon as its daemon runs, before the guest does. */
  launch(plan: LaunchPlan, told: (text: string) => void): Promise<Launched>;
  /** The running share of that tag, folder or process id; without a name the only one. Throws a Trouble. */
  findShare(name: string | undefined): ShareToAttach;
  /** The document that shows a source, where the client has documents of its own; else it asks for them by number. */
  documentUri?(what: 'opcodes' | { readonly thread: number; readonly title: string }): string;
  /** The text of a stopped request is another one. */
  requestChanged?(thread: number): void;
}
