// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.virtio4j.os.file.SparseFile;

/** A real file that a test can watch, hold up and break: a hook runs before each transfer, on its thread. */
final class TestFile extends DiskFile {

    enum Operation { READ, WRITE, FORCE }

    /** What happens before a transfer; an exception is what the transfer ends with. */
    interface Hook {
        void before(Operation operation, long position) throws IOException;
    }

    /** All transfers that were begun, in order. */
    final List<Operation> done = new CopyOnWriteArrayList<>();
    final AtomicInteger opened = new AtomicInteger();
    volatile Hook hook = (operation, position) -> { };

    /** The most bytes that one call transfers. */
    volatile int most = Integer.MAX_VALUE;

    private final boolean sparse;

    TestFile(Path path, boolean readOnly) {
        this(path, readOnly, true);
    }

    /** With or without a file system that can give storage back. */
    TestFile(Path path, boolean readOnly, boolean sparse) {
        super(path, readOnly);
        this.sparse = sparse;
    }

    @Override
    Optional<SparseFile> openSparse() throws IOException {
        return sparse ? super.openSparse() : Optional.empty();
    }

    @Override
    FileChannel open() throws IOException {
        opened.incrementAndGet();
        return new Watched(super.open());
    }

    private void before(Operation operation, long position) throws IOException {
        done.add(operation);
        hook.before(operation, position);
    }

    private final class Watched extends FileChannel {

        private final FileChannel real;

        private Watched(FileChannel real) {
            this.real = real;
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            before(Operation.READ, position);
            int limit = shorten(into);
            int count = real.read(into, position);
            into.limit(limit);
            return count;
        }

        @Override
        public int write(ByteBuffer from, long position) throws IOException {
            before(Operation.WRITE, position);
            int limit = shorten(from);
            int count = real.write(from, position);
            from.limit(limit);
            return count;
        }

        @Override
        public void force(boolean metaData) throws IOException {
            before(Operation.FORCE, 0);
            real.force(metaData);
        }

        @Override
        public long size() throws IOException {
            return real.size();
        }

        @Override
        public FileChannel truncate(long size) throws IOException {
            real.truncate(size);
            return this;
        }

        @Override
        protected void implCloseChannel() throws IOException {
            real.close();
        }

        private int shorten(ByteBuffer buffer) {
            int limit = buffer.limit();
            buffer.limit(buffer.position() + Math.min(most, buffer.remaining()));
            return limit;
        }

        // A disk uses none of these.

        @Override
        public int read(ByteBuffer into) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long read(ByteBuffer[] into, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] from, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long position() {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel position(long newPosition) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferTo(long position, long count, WritableByteChannel target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long position, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long position, long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock lock(long position, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }
    }
}
