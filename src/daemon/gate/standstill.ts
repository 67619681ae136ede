/**
 * The queue worker standing still in the middle of a handler: it serves the debugger's commands and nothing else, until
 * it may go on. The end of the daemon, and whatever the front-end says or that it goes, end the stop as well: those are
 * left for the event loop to see.
 */
import { EPOLLIN, Epoll, drain } from '../../native/descriptors';

const Key = { Command: 0, Quit: 1, FrontEnd: 2 } as const;

export class Standstill {
  private readonly epoll = new Epoll(4);
  private frontEnd = -1;

  constructor(
    private readonly commandFd: number,
    quitFd: number,
    private readonly commands: () => void,
  ) {
    this.epoll.add(commandFd, EPOLLIN, Key.Command);
    this.epoll.add(quitFd, EPOLLIN, Key.Quit);
  }

  /** The front-end's socket; -1: there is none. */
  watch(socket: number): void {
    if (this.frontEnd >= 0) this.epoll.remove(this.frontEnd);
    this.frontEnd = socket;
    if (socket >= 0) this.epoll.add(socket, EPOLLIN, Key.FrontEnd);
  }

  /** Stands as long as `standing` says so. What else ended it, or undefined. */
  wait(standing: () => boolean): 'frontEnd' | 'quit' | undefined {
    while (standing()) {
      const count = this.epoll.wait(-1);
      for (let index = 0; index < count; index++) {
        const key = this.epoll.key(index);
        if (key === Key.Quit) return 'quit';
        if (key === Key.FrontEnd) return 'frontEnd';
        drain(this.commandFd);
        this.commands();
      }
    }
    return undefined;
  }

  close(): void {
    this.epoll.close();
  }
}
