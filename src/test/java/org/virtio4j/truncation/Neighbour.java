// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.virtio4j.fixture.Parked;
import org.virtio4j.transport.TransportKind;

/** A guest of the same process that nothing is taken from: it writes and reads, and compares. */
final class Neighbour implements AutoCloseable {

    private final CutDisk disk;
    private final Thread thread = new Thread(this::work, "neighbour");
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicLong answered = new AtomicLong();
    private volatile boolean over;

    private Neighbour(CutDisk disk) {
        this.disk = disk;
    }

    static Neighbour start(Path folder) {
        Neighbour neighbour = new Neighbour(CutDisk.of(folder, TransportKind.PCI_VECTORS, CutDisk.Kind.WORKERS));
        neighbour.disk.start(false, true);
        neighbour.thread.start();
        return neighbour;
    }

    /** How often it has worked so far. */
    long answered() {
        return answered.get();
    }

    /** Throws what it has met. */
    void check() {
        Throwable met = failure.get();
        if (met != null) {
            throw new AssertionError("the neighbour noticed", met);
        }
    }

    @Override
    public void close() {
        over = true;
        Parked.finish(thread);
        check();
        disk.checkNothingWrong();
        disk.close();
    }

    private void work() {
        Random random = new Random(1);
        try {
            while (!over) {
                disk.verify(random);
                answered.incrementAndGet();
            }
        } catch (RuntimeException | Error met) {
            failure.set(met);
            // Whoever waits for progress is to look.
            answered.set(Long.MAX_VALUE);
        }
    }
}
