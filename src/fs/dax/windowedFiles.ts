/**
 * The files of a share with a DAX window: requests that read or change what is in them, passed on, and for a file that
 * parts are mapped of with what has to be done before and after, so that it is the same seen by requests, through the
 * window, and on the host.
 *
 * A share without a window has none of this. Which file is mapped is asked at each request, and costs one that is not
 * a look into a map, no allocation.
 */
import type { AttributeChanges, Caller, FileSystem, Handle, Node, Payload } from '../fileSystem';
import type { HandleTable } from '../handleTable';
import * as linux from '../linux';
import type { Contents } from '../openFiles';
import { asAsked, asCopied, asWritten, MappedChange } from './mappedChange';
import type { MappedFiles } from './mappedFiles';

export class WindowedFiles implements Contents {
  constructor(
    private readonly window: Pick<MappedFiles, 'has' | 'before' | 'after' | 'pushAll'>,
    private readonly handles: Pick<HandleTable, 'node'>,
    private readonly files: Contents,
    private readonly inodes: Pick<FileSystem, 'setattr'>,
  ) {}

  setattr(node: Node, handle: Handle, changes: AttributeChanges, caller: Caller): number {
    const { window, inodes } = this;
    if (!window.has(node)) return inodes.setattr(node, handle, changes, caller);
    if ((changes.valid & linux.FATTR_SIZE) === 0) {
      window.before(node);
      return inodes.setattr(node, handle, changes, caller);
    }
    const change = new MappedChange(window, node, caller, asAsked);
    return change.ended(inodes.setattr(node, handle, changes, change));
  }

  open(node: Node, flags: number, killPriv: boolean, caller: Caller): Handle | number {
    const { window, files } = this;
    if ((flags & linux.O_TRUNC) === 0 || !window.has(node)) return files.open(node, flags, killPriv, caller);
    const change = new MappedChange(window, node, caller, asAsked);
    return change.ended(files.open(node, flags, killPriv, change));
  }

  read(handle: Handle, offset: number, length: number, payload: Payload, skip: number, caller: Caller): number {
    this.window.before(this.handles.node[handle]);
    return this.files.read(handle, offset, length, payload, skip, caller);
  }

  write(
    handle: Handle,
    offset: number,
    length: number,
    payload: Payload,
    skip: number,
    way: number,
    caller: Caller,
  ): number {
    const { window, files } = this;
    const node = this.handles.node[handle];
    if (!window.has(node)) return files.write(handle, offset, length, payload, skip, way, caller);
    // At an append the host chooses the place: everything that is new is at the end, and is seen by the file's size.
    const change = new MappedChange(window, node, caller, asWritten, offset, length);
    return change.ended(files.write(handle, offset, length, payload, skip, way, change));
  }

  flush(handle: Handle, caller: Caller): number {
    this.window.before(this.handles.node[handle]);
    return this.files.flush(handle, caller);
  }

  fsync(handle: Handle, dataOnly: boolean, caller: Caller): number {
    const failed = this.window.before(this.handles.node[handle]);
    return failed < 0 ? failed : this.files.fsync(handle, dataOnly, caller);
  }

  syncfs(node: Node, caller: Caller): number {
    this.window.pushAll();
    return this.files.syncfs(node, caller);
  }

  fallocate(handle: Handle, mode: number, offset: number, length: number, caller: Caller): number {
    const { window, files } = this;
    const node = this.handles.node[handle];
    if (!window.has(node)) return files.fallocate(handle, mode, offset, length, caller);
    const change = new MappedChange(window, node, caller, asAsked, offset, length);
    return change.ended(files.fallocate(handle, mode, offset, length, change));
  }

  lseek(handle: Handle, offset: number, whence: number): number {
    this.window.before(this.handles.node[handle]);
    return this.files.lseek(handle, offset, whence);
  }

  copyFileRange(
    from: Handle,
    fromOffset: number,
    to: Handle,
    toOffset: number,
    length: number,
    flags: number,
    caller: Caller,
  ): number {
    const { window, files } = this;
    const { node } = this.handles;
    window.before(node[from]);
    const target = node[to];
    if (!window.has(target)) return files.copyFileRange(from, fromOffset, to, toOffset, length, flags, caller);
    const change = new MappedChange(window, target, caller, asCopied, toOffset, length);
    return change.ended(files.copyFileRange(from, fromOffset, to, toOffset, length, flags, change));
  }
}
