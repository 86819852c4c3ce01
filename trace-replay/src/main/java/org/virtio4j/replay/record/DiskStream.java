// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.record;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A stream whose writers do not wait for the disk, or only for a limited time: chunks go to a thread that writes them.
 * If the disk refuses or is too slow, the file ends with what came before. Later writes succeed and do nothing, and
 * {@link #failure} says why. One writer writes at a time.
 */
final class DiskStream extends OutputStream {

    private static final int CHUNK_BYTES = 1 << 17;
    private static final long LOOK_AGAIN_NANOS = 50_000;

    private final OutputStream out;
    private final long patienceNanos;
    private final BlockingQueue<Chunk> free;
    private final BlockingQueue<Chunk> full;
    private final Thread thread;

    /** The chunk that the writers fill. */
    private @Nullable Chunk current;
    private boolean closed;

    private volatile @Nullable String failure;

    /** Bytes on their way to the thread. A chunk without bytes is the end. */
    private static final class Chunk {

        private final byte[] bytes;
        private int length;

        Chunk(int capacity) {
            bytes = new byte[capacity];
        }
    }

    /**
     * Begins to write, on a thread of its own.
     *
     * @param out      where it goes; used by that thread alone, and closed by it
     * @param chunks   how many chunks of 128 KiB there are for what the disk has not taken yet
     * @param patience how long a writer waits for the disk when all are full
     */
    DiskStream(OutputStream out, int chunks, Duration patience) {
        this.out = out;
        this.patienceNanos = patience.toNanos();
        this.free = new ArrayBlockingQueue<>(chunks);
        this.full = new ArrayBlockingQueue<>(chunks + 1);
        for (int i = 0; i < chunks; i++) {
            free.add(new Chunk(CHUNK_BYTES));
        }
        this.thread = Thread.ofPlatform().name("recorder").daemon().start(this::writeChunks);
    }

    /** Why the file is not what was written, in words for the user. */
    Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        int at = offset;
        while (at < offset + length && failure == null) {
            Chunk chunk = current == null ? take() : current;
            current = chunk;
            if (chunk == null) {
                failure = "the disk does not keep up";
                return;
            }
            int count = Math.min(offset + length - at, chunk.bytes.length - chunk.length);
            System.arraycopy(bytes, at, chunk.bytes, chunk.length, count);
            chunk.length += count;
            at += count;
            if (chunk.length == chunk.bytes.length) {
                handOver();
            }
        }
    }

    @Override
    public void flush() {
        if (current != null) {
            handOver();
        }
    }

    /** Returns when all is written and the file closed. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        flush();
        full.add(new Chunk(0));
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Null if none comes in time. There is no lock, because an interrupted thread could not wait for it. */
    private @Nullable Chunk take() {
        Chunk chunk = free.poll();
        long start = System.nanoTime();
        while (chunk == null && System.nanoTime() - start < patienceNanos) {
            LockSupport.parkNanos(LOOK_AGAIN_NANOS);
            chunk = free.poll();
        }
        return chunk;
    }

    private void handOver() {
        Chunk chunk = current;
        current = null;
        if (chunk != null) {
            // There is room for all chunks and the end.
            full.add(chunk);
        }
    }

    private void writeChunks() {
        try (out) {
            Chunk chunk = full.take();
            while (chunk.length > 0) {
                out.write(chunk.bytes, 0, chunk.length);
                chunk.length = 0;
                free.add(chunk);
                chunk = full.take();
            }
        } catch (IOException refused) {
            failure = failure == null ? String.valueOf(refused.getMessage()) : failure;
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
    }
}
