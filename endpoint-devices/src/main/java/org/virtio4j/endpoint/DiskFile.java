// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.FileKind;
import org.virtio4j.os.file.BlockDeviceInfo;
import org.virtio4j.os.file.FileIdentity;
import org.virtio4j.os.file.SparseFile;

/**
 * The file behind a disk. Any thread may call any method, several at once.
 *
 * <p>A thread that is interrupted while it uses a {@link FileChannel} closes it for everybody. Here the file is opened
 * again then, what failed is done again, and the thread stays interrupted. Repeating a transfer is safe, because every
 * transfer says where in the file it goes. If the name leads to another file by then, nothing is transferred until it
 * leads back.
 *
 * <p>A force that has failed once counts as failed from then on. The host may drop what it could not write, and may
 * report success when it is asked again: Linux reports such a loss once for each open file.
 */
class DiskFile implements AutoCloseable {

    private enum Transfer { READ, WRITE, FORCE }

    private static final FileIdentity NOTHING = new FileIdentity(FileKind.OTHER, "");

    private final Path path;
    private final boolean readOnly;

    /** Set when the file is opened for the first time, and the same from then on. */
    private FileIdentity identity = NOTHING;
    private @Nullable DiskClaim claim;

    /** Null once closed; changed under this object's monitor. */
    private volatile @Nullable FileChannel channel;

    /** Null where storage cannot be given back. */
    private volatile @Nullable SparseFile sparse;

    /** One force at a time: if one thread is told of a loss, no other may be told of success after it. */
    private final Object forcing = new Object();

    /** How many forces were begun; changed under {@link #forcing}. */
    private volatile long begun;

    /** Which of them was the last that succeeded. Guarded by {@link #forcing}. */
    private long succeeded;

    /** What the host said of the first force that failed; empty if none has. Guarded by {@link #forcing}. */
    private String lost = "";

    DiskFile(Path path, boolean readOnly) {
        this.path = path;
        this.readOnly = readOnly;
    }

    /**
     * Opens the file for the first time, before anything else is called. Leaves nothing open if it throws.
     *
     * @param blockSize bytes, of which the length must be a multiple
     * @return bytes in the file
     * @throws IOException if the file cannot be opened, is used by somebody else, or is neither file nor block device
     * @throws IllegalArgumentException if the blocks do not fit the file
     */
    final long begin(DiskLock lock, int blockSize) throws IOException {
        identity = FileIdentity.of(path);
        boolean done = false;
        try {
            checkKind(blockSize);
            if (lock != DiskLock.OFF) {
                claim = DiskClaim.of(path, identity.key(), !readOnly, lock);
            }
            channel = open();
            if (!readOnly) {
                sparse = openSparse().orElse(null);
            }
            checkIdentity();
            long bytes = checkedLength(blockSize);
            done = true;
            return bytes;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    private void checkKind(int blockSize) throws IOException {
        switch (identity.kind()) {
            case FILE -> { }
            case BLOCK_DEVICE -> checkDevice(blockSize);
            default -> throw new FileSystemException(path.toString(), null,
                    "expected a file or a block device to be the disk, found " + identity.kind().words());
        }
    }

    private void checkDevice(int blockSize) throws IOException {
        int smallest = BlockDeviceInfo.logicalBlockSize(path);
        if (smallest > blockSize) {
            throw new IllegalArgumentException("blockSize=" + blockSize + ", but " + path + " has blocks of " + smallest
                    + " bytes; set blockSize=" + smallest + " or a multiple of it");
        }
        if (!readOnly && BlockDeviceInfo.isReadOnly(path)) {
            throw new FileSystemException(path.toString(), null,
                    "the device cannot be written; make the disk read-only, or the device writable");
        }
    }

    private long checkedLength(int blockSize) throws IOException {
        long bytes = size();
        long rest = bytes % blockSize;
        if (rest != 0) {
            throw new IllegalArgumentException("blockSize=" + blockSize + ", but " + path + " has " + bytes
                    + " bytes, which is no multiple of it; make it " + (bytes - rest + blockSize)
                    + " bytes long (truncate -s) or choose smaller blocks");
        }
        return bytes;
    }

    /** Refuses to go on with a file that has taken the place of the one that was opened first. */
    private void checkIdentity() throws IOException {
        if (!FileIdentity.of(path).equals(identity)) {
            throw new DiskFailureException(BlockOutcome.OTHER_FILE,
                    path + " is another file than the one that was opened first");
        }
    }

    /** Why other processes are not kept from the file; empty if they are, or are not meant to be. */
    final String lockNotice() {
        return claim == null ? "" : claim.notice();
    }

    /** Opens the file a second time, if parts of it can be given back. */
    Optional<SparseFile> openSparse() throws IOException {
        return SparseFile.open(path);
    }

    /** Opens the file, for the first time or again. */
    FileChannel open() throws IOException {
        return FileChannel.open(path, readOnly ? Set.of(StandardOpenOption.READ)
                : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    final boolean readOnly() {
        return readOnly;
    }

    /** Bytes in the file. */
    final long size() throws IOException {
        return current().size();
    }

    /** Fills the buffer, from its start to its limit. */
    final void read(ByteBuffer into, long position) throws IOException {
        run(Transfer.READ, into, position);
    }

    /** Writes the buffer, from its start to its limit. */
    final void write(ByteBuffer from, long position) throws IOException {
        run(Transfer.WRITE, from, position);
    }

    /**
     * Returns when everything written before is on the storage. A thread that had to wait for its turn is content with
     * a force that was begun while it waited.
     *
     * @throws DiskFailureException if one has failed before
     */
    final void force() throws IOException {
        long before = begun;
        synchronized (forcing) {
            if (!lost.isEmpty()) {
                throw new DiskFailureException(BlockOutcome.UNSTABLE, "an earlier flush failed: " + lost);
            }
            if (succeeded <= before) {
                long own = begun + 1;
                begun = own;
                run(Transfer.FORCE, null, 0);
                succeeded = own;
            }
        }
    }

    /** With {@link #forcing}. Remembers what the host says; that the file could not be opened again is no loss. */
    private void force(FileChannel open) throws IOException {
        try {
            open.force(false);
        } catch (ClosedChannelException closed) {
            throw closed;
        } catch (IOException failure) {
            lost = failure.toString();
            throw failure;
        }
    }

    /** Whether storage can be given back in the middle of the file. */
    final boolean isSparse() {
        return sparse != null;
    }

    /** Gives a range back, more than 0 bytes, which reads as zeros then; false if nothing has changed. */
    final boolean giveBack(long position, long length) throws IOException {
        SparseFile holes = sparse;
        return holes != null && holes.punch(position, length);
    }

    /** Makes the file longer or shorter. A device is as long as it is, and only followed. */
    final void resize(long bytes) throws IOException {
        long before = size();
        if (identity.kind() == FileKind.BLOCK_DEVICE && bytes != before) {
            throw new FileSystemException(path.toString(), null, "the device has " + before + " bytes by now, not "
                    + bytes + "; make it as long as the disk is to be first");
        }
        if (bytes > before) {
            write(ByteBuffer.allocateDirect(1), bytes - 1);
        } else {
            current().truncate(bytes);
        }
    }

    /** Releases the lock last, when no transfer of this disk can reach the file any more. */
    @Override
    public final synchronized void close() throws IOException {
        FileChannel open = channel;
        channel = null;
        SparseFile holes = sparse;
        DiskClaim held = claim;
        try {
            if (holes != null) {
                holes.close();
            }
            if (open != null) {
                open.close();
            }
        } finally {
            if (held != null) {
                held.close();
            }
        }
    }

    @Override
    public final String toString() {
        return path.toString();
    }

    private void run(Transfer transfer, @Nullable ByteBuffer buffer, long position) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            FileChannel open = current();
            while (!tryOnce(transfer, open, buffer, position)) {
                interrupted |= Thread.interrupted();
                open = reopened(open);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** False if the channel was closed meanwhile. */
    private boolean tryOnce(Transfer transfer, FileChannel open, @Nullable ByteBuffer buffer, long position)
            throws IOException {
        try {
            if (transfer == Transfer.FORCE) {
                force(open);
            } else if (buffer != null) {
                transferAll(transfer, open, buffer.position(0), position);
            }
            return true;
        } catch (ClosedChannelException closed) {
            return false;
        }
    }

    private static void transferAll(Transfer transfer, FileChannel open, ByteBuffer buffer, long position)
            throws IOException {
        long at = position;
        while (buffer.hasRemaining()) {
            int done = transfer == Transfer.READ ? open.read(buffer, at) : open.write(buffer, at);
            if (done < 0) {
                throw new EOFException("the file ends at " + at);
            }
            at += done;
        }
    }

    /** The channel to go on with after one was found closed. */
    @SuppressWarnings("ReferenceEquality") // another thread may have put another one there
    private synchronized FileChannel reopened(FileChannel closed) throws IOException {
        if (current() == closed) {
            channel = reopen();
        }
        return current();
    }

    /** Looks before, so that a pipe in the file's place does not block, and after, so that nothing came between. */
    private FileChannel reopen() throws IOException {
        checkIdentity();
        FileChannel opened = open();
        boolean same = false;
        try {
            checkIdentity();
            same = true;
            return opened;
        } finally {
            if (!same) {
                opened.close();
            }
        }
    }

    private FileChannel current() throws ClosedChannelException {
        FileChannel open = channel;
        if (open == null) {
            throw new ClosedChannelException();
        }
        return open;
    }
}
