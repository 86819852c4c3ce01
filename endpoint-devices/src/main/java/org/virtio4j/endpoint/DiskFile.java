// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.os.SparseFile;

/**
 * The file behind a disk. Any thread may call any method, several at once.
 *
 * <p>A thread that is interrupted while it uses a {@link FileChannel} closes it for everybody. Here the file is opened
 * again then, what failed is done again, and the thread stays interrupted. Doing it again is right because every
 * transfer says where in the file it goes.
 */
class DiskFile implements AutoCloseable {

    private enum Transfer { READ, WRITE, FORCE }

    private final Path path;
    private final boolean readOnly;

    /** Null once closed; changed under this object's monitor. */
    private volatile @Nullable FileChannel channel;

    /** Null where storage cannot be given back. */
    private volatile @Nullable SparseFile sparse;

    DiskFile(Path path, boolean readOnly) {
        this.path = path;
        this.readOnly = readOnly;
    }

    /** Opens the file for the first time, before anything else is called. */
    final void begin() throws IOException {
        channel = open();
        if (!readOnly) {
            sparse = openSparse().orElse(null);
        }
    }

    /** Opens the file once more, if parts of it can be given back. */
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

    /** Returns when everything written before is on the storage. */
    final void force() throws IOException {
        run(Transfer.FORCE, null, 0);
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

    /** Makes the file longer or shorter. */
    final void resize(long bytes) throws IOException {
        if (bytes > size()) {
            write(ByteBuffer.allocateDirect(1), bytes - 1);
        } else {
            current().truncate(bytes);
        }
    }

    @Override
    public final synchronized void close() throws IOException {
        FileChannel open = channel;
        channel = null;
        SparseFile holes = sparse;
        if (holes != null) {
            holes.close();
        }
        if (open != null) {
            open.close();
        }
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

    /** False if the channel was closed under our feet. */
    private static boolean tryOnce(Transfer transfer, FileChannel open, @Nullable ByteBuffer buffer, long position)
            throws IOException {
        try {
            if (transfer == Transfer.FORCE) {
                open.force(false);
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
            channel = open();
        }
        return current();
    }

    private FileChannel current() throws ClosedChannelException {
        FileChannel open = channel;
        if (open == null) {
            throw new ClosedChannelException();
        }
        return open;
    }
}
