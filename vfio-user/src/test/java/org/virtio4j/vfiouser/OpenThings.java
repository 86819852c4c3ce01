// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** What this process holds of the system: descriptors, mappings of our memory, and threads. */
record OpenThings(long descriptors, long mappings, long threads) {

    static {
        // The JDK keeps two descriptors for itself once it has closed a channel.
        try (ServerSocketChannel first = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            first.configureBlocking(true);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    static OpenThings now() {
        return new OpenThings(descriptorCount(), mappingCount(), threadCount());
    }

    /** Waits until as little is held as once was; there is nobody to ask when a client's end has been noticed. */
    static void awaitNoMoreThan(OpenThings before) {
        OpenThings now = now();
        while (now.descriptors > before.descriptors || now.mappings > before.mappings
                || now.threads > before.threads) {
            failWhenTimedOut(before, now);
            now = now();
        }
    }

    /** JUnit interrupts a test that takes too long; then the figures are worth more than the place. */
    static void failWhenTimedOut(Record before, Record now) {
        if (Thread.interrupted()) {
            throw new AssertionError("held before: " + before + ", now: " + now);
        }
    }

    /** Eventfds, memory and sockets alone: the JVM opens files as it likes. */
    private static long descriptorCount() {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.filter(OpenThings::isOurs).count();
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    private static boolean isOurs(Path descriptor) {
        try {
            String what = Files.readSymbolicLink(descriptor).toString();
            return what.startsWith("socket:") || what.contains("memfd:virtio4j") || what.contains("[eventfd]")
                    || what.contains(".ram");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    private static long mappingCount() {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(line -> line.contains("memfd:virtio4j") || line.contains(".ram")).count();
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
    }

    /** All but those of the JVM, which are in another group, and the one that watches over tests. */
    private static long threadCount() {
        Thread[] threads = new Thread[Thread.activeCount() + 100];
        int count = Thread.enumerate(threads);
        return Arrays.stream(threads, 0, count).filter(thread -> !thread.getName().startsWith("junit")).count();
    }
}
