// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.virtio4j.vmm.LittleEndian;

/**
 * The configuration of a {@link QueueDevice}: bytes that its driver reads, all 0 at first, and changes that the driver
 * is told of. One access sees a change as a whole or not at all. The generation that the driver reads differs after it
 * has read the changed configuration (virtio 1.4, section 2.5). Any thread.
 */
public final class DeviceConfig {

    /** In one object, so that no thread sees new bytes with an old number. */
    private record Shown(MemorySegment bytes, int version) {
    }

    private final Runnable changed;

    /** Makes changes one after the other; readers do not take it. */
    private final ReentrantLock changing = new ReentrantLock();
    private volatile Shown shown;

    DeviceConfig(int size, Runnable changed) {
        this.changed = changed;
        this.shown = new Shown(copyOf(MemorySegment.ofArray(new long[0]), size), 0);
    }

    /**
     * Changes the configuration, and sends a configuration change notification if there is a driver. Under no lock that
     * an embedder's interrupt may wait for.
     *
     * @param change writes to a copy of the bytes, little-endian ({@link LittleEndian}); called once, before this
     *               returns. What it throws comes out, and nothing has changed then
     */
    public void change(Consumer<MemorySegment> change) {
        changing.lock();
        try {
            Shown before = shown;
            MemorySegment bytes = copyOf(before.bytes, before.bytes.byteSize());
            change.accept(bytes);
            shown = new Shown(bytes, before.version + 1);
        } finally {
            changing.unlock();
        }
        changed.run();
    }

    int size() {
        return (int) shown.bytes.byteSize();
    }

    int version() {
        return shown.version;
    }

    long read(int offset, int width) {
        MemorySegment bytes = shown.bytes;
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = (value << Byte.SIZE) | LittleEndian.u8(bytes, offset + i);
        }
        return value;
    }

    /** On the heap in words, so that fields are aligned as those of guest memory are. */
    private static MemorySegment copyOf(MemorySegment bytes, long size) {
        long[] words = new long[(int) ((size + Long.BYTES - 1) / Long.BYTES)];
        MemorySegment copy = MemorySegment.ofArray(words);
        MemorySegment.copy(bytes, 0, copy, 0, Math.min(bytes.byteSize(), size));
        return copy.asSlice(0, size);
    }
}
