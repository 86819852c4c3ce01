// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/**
 * The same guest does the workload {@link Workload#VERIFY} with this project's devices and with QEMU's own, in turns:
 * whatever else the machine does affects both.
 *
 * @param ours what came of the guests with our devices
 * @param qemus what came of the guests with QEMU's own
 */
public record Comparison(List<GuestResult> ours, List<GuestResult> qemus) {

    private static final double CENTISECONDS = 100;

    /** What is timed: the disk written and read without the guest's page cache, and read through it. */
    public enum Transfer {
        /** Four writers without the page cache, and a flush. */
        WRITE("write"),
        /** Four readers without the page cache. */
        READ("read"),
        /** One reader through the page cache. */
        CACHED_READ("cached-read");

        private final String fact;

        Transfer(String fact) {
            this.fact = "verify/" + fact + "-centiseconds";
        }

        /** What people call it. */
        @Override
        public String toString() {
            return switch (this) {
                case WRITE -> "write";
                case READ -> "read";
                case CACHED_READ -> "cached read";
            };
        }

        private double seconds(GuestResult result) {
            return Integer.parseInt(result.facts().fact(fact)) / CENTISECONDS;
        }
    }

    /**
     * Runs guests by turns, ours first, and ends with the first that does not do its work.
     *
     * @param options what kind of guest; workload and devices are chosen here
     * @param rounds how many of each
     * @param home the project's folder
     * @param observer hears how they get on
     * @return what came of them; see {@link #complete}
     * @throws NotFetchedException as {@link Guest#run}
     * @throws UnusableGuestException as {@link Guest#run}
     * @throws IOException as {@link Guest#run}
     */
    public static Comparison run(GuestOptions options, int rounds, Path home, GuestObserver observer)
            throws NotFetchedException, UnusableGuestException, IOException {
        List<GuestResult> ours = new ArrayList<>();
        List<GuestResult> qemus = new ArrayList<>();
        Comparison comparison = new Comparison(ours, qemus);
        for (int i = 0; i < 2 * rounds && comparison.complete(); i++) {
            boolean qemuDevices = i % 2 == 1;
            observer.step("run " + (i + 1) + " of " + 2 * rounds + ", " + (qemuDevices ? "QEMU's devices" : "ours"));
            GuestOptions turn = options.withWorkload(Workload.VERIFY).withQemuDevices(qemuDevices);
            (qemuDevices ? qemus : ours).add(new Guest(turn, home, observer).run());
        }
        return comparison;
    }

    /**
     * Whether all guests that were run did their work.
     *
     * @return false if one of them is in trouble, which is the last of its kind
     */
    public boolean complete() {
        return ours.stream().allMatch(result -> result.trouble().isEmpty())
                && qemus.stream().allMatch(result -> result.trouble().isEmpty());
    }

    /**
     * How fast our devices are.
     *
     * @param transfer which part of the work
     * @return the speed of this project's devices by the speed of QEMU's, medians of all rounds; above 1 if this
     *         project's are faster
     */
    public double ratio(Transfer transfer) {
        return median(qemus, transfer) / median(ours, transfer);
    }

    /**
     * How long a transfer took with our devices, as the guest's clock has it.
     *
     * @param transfer which part of the work
     * @return the median in seconds
     */
    public double ourSeconds(Transfer transfer) {
        return median(ours, transfer);
    }

    /**
     * How long a transfer took with QEMU's own.
     *
     * @param transfer which part of the work
     * @return the median in seconds
     */
    public double qemuSeconds(Transfer transfer) {
        return median(qemus, transfer);
    }

    /** Nothing takes less than what the guest's clock can tell. */
    private static double median(List<GuestResult> results, Transfer transfer) {
        double[] sorted = results.stream().mapToDouble(transfer::seconds)
                .map(seconds -> Math.max(seconds, 1 / CENTISECONDS)).sorted().toArray();
        return DoubleStream.of(sorted[(sorted.length - 1) / 2], sorted[sorted.length / 2]).average().orElseThrow();
    }
}
