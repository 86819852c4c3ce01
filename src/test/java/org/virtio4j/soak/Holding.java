// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.virtio4j.fixture.Parked;

/**
 * What this process holds of its host, as Linux says, and of readers.
 *
 * @param javaThreads those that the JVM shows
 * @param threads     all of them
 * @param descriptors open ones
 * @param readers     lengths of lists, in an order of the program's own
 * @param mappings    lines of {@code /proc/self/maps}
 * @param residentKib memory that is there, in KiB
 */
record Holding(int javaThreads, long threads, long descriptors, List<Integer> readers, long mappings,
        long residentKib) {

    /** What memory may grow by between the first tenth and the end. */
    static final long MORE_KIB = 32 << 10;

    /** The system merges mappings that meet and the C library keeps a few arenas; a leak is one for each round. */
    private static final long MORE_MAPPINGS = 24;

    private static final Path SELF = Path.of("/proc/self");
    private static final String OURS = "virtio4j";

    /** Takes stock once the JVM has collected all that nobody refers to. */
    static Holding afterCollection(List<Integer> readers) {
        collect();
        // What freed memory when it was collected made work for the collector itself.
        collect();
        awaitWorkers();
        return now(readers);
    }

    /** Takes stock of what is there, garbage included. */
    static Holding now(List<Integer> readers) {
        return new Holding(ManagementFactory.getThreadMXBean().getThreadCount(), count("task"), count("fd"),
                List.copyOf(readers), lines("maps"), resident());
    }

    /** Throws unless this is as before, memory within 32 MiB. */
    void requireAs(Holding before) {
        require(javaThreads == before.javaThreads && threads == before.threads, "threads", before);
        require(descriptors == before.descriptors, "descriptors", before);
        require(readers.equals(before.readers), "readers", before);
        require(mappings <= before.mappings + MORE_MAPPINGS, "mappings", before);
        require(residentKib <= before.residentKib + MORE_KIB, "memory", before);
    }

    private void require(boolean kept, String what, Holding before) {
        if (!kept) {
            throw new AssertionError(what + ": " + this + ", but " + before + " after the first tenth");
        }
    }

    /** Comes back when the memory of what could not be reached any more has been freed. */
    private static void collect() {
        CountDownLatch freed = new CountDownLatch(1);
        tellWhenCollected(freed);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (freed.getCount() != 0 && System.nanoTime() - end < 0) {
            System.gc();
            Thread.onSpinWait();
        }
    }

    @SuppressWarnings("restricted") // the segment has no bytes
    private static void tellWhenCollected(CountDownLatch freed) {
        MemorySegment ignored = MemorySegment.NULL.reinterpret(0, Arena.ofAuto(), none -> freed.countDown());
    }

    /** A thread that has ended is still a task for a moment. */
    private static void awaitWorkers() {
        Parked.until(() -> names().noneMatch(name -> name.startsWith(OURS)));
    }

    private static Stream<String> names() {
        try (Stream<Path> tasks = Files.list(SELF.resolve("task"))) {
            return tasks.map(Holding::name).toList().stream();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static String name(Path task) {
        try {
            return Files.readString(task.resolve("comm"));
        } catch (IOException over) {
            // The task has ended meanwhile.
            return "";
        }
    }

    private static long count(String folder) {
        try (Stream<Path> entries = Files.list(SELF.resolve(folder))) {
            return entries.count();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static long lines(String file) {
        try (Stream<String> lines = Files.lines(SELF.resolve(file))) {
            return lines.count();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static long resident() {
        try (Stream<String> lines = Files.lines(SELF.resolve("status"))) {
            String line = lines.filter(each -> each.startsWith("VmRSS:")).findFirst().orElseThrow();
            return Long.parseLong(line.replaceAll("[^0-9]", ""));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
