// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.RegisterHandler;

/**
 * The window of a {@link PciBus} in which the guest places BARs: whether all of them fit, where each is, and which
 * function an access belongs to. Any thread; an access takes no lock.
 */
final class BarRoutes implements RegisterHandler {

    private static final int[] BARS = {BarLayout.VIRTIO, BarLayout.MSIX};

    /** A BAR where the guest has placed it; start and end (exclusive) are offsets in the window. */
    private record Route(long start, long end, VirtioPciFunction function, int bar) {
    }

    private final long memoryStart;
    private final long memorySize;

    /** Replaced under the bus's lock whenever a BAR may have moved. */
    private volatile Route[] routes = new Route[0];

    BarRoutes(long memoryStart, long memorySize) {
        this.memoryStart = memoryStart;
        this.memorySize = memorySize;
    }

    /** Why no guest could place the BARs; empty if one could. */
    String refusal(@Nullable VirtioPciFunction[] functions) {
        boolean below = Long.compareUnsigned(memoryStart + memorySize - 1, PciBus.LAST_NARROW) <= 0;
        long narrow = end(functions, memoryStart, BarLayout.MSIX);
        if (!below && Long.compareUnsigned(narrow - 1, PciBus.LAST_NARROW) > 0) {
            return "memoryStart=0x" + Long.toHexString(memoryStart) + ", but BARs of 32 bits take "
                    + (narrow - memoryStart) + " bytes below 4 GiB; let the window begin lower";
        }
        long end = below ? end(functions, memoryStart, BarLayout.MSIX, BarLayout.VIRTIO)
                : end(functions, narrow, BarLayout.VIRTIO);
        long needed = end - memoryStart;
        return needed <= memorySize ? "" : "memorySize=" + memorySize + ", but from memoryStart=0x"
                + Long.toHexString(memoryStart) + " on the BARs take " + needed + " bytes; give a larger window";
    }

    /** Looks where each BAR is now. Under the bus's lock. */
    void renew(@Nullable VirtioPciFunction[] functions) {
        Route[] found = new Route[functions.length * BARS.length];
        int count = 0;
        for (VirtioPciFunction function : functions) {
            for (int bar : BARS) {
                Route route = function == null ? null : routeTo(function, bar);
                if (route != null) {
                    found[count++] = route;
                }
            }
        }
        routes = Arrays.copyOf(found, count);
    }

    @Override
    public long read(long offset, int width) {
        Route route = find(offset);
        return route == null ? PciBus.allOnes(width) : route.function.readBar(route.bar, offset - route.start, width);
    }

    @Override
    public void write(long offset, int width, long value) {
        Route route = find(offset);
        if (route != null) {
            route.function.writeBar(route.bar, offset - route.start, width, value);
        }
    }

    /** How far BARs reach when each is aligned to its size; with the largest first, gaps are only before them. */
    private static long end(@Nullable VirtioPciFunction[] functions, long start, int... bars) {
        long[] sizes = Arrays.stream(functions).filter(Objects::nonNull).map(Objects::requireNonNull)
                .flatMapToLong(each -> Arrays.stream(bars).mapToLong(each::barSize)).sorted().toArray();
        long end = start;
        for (int i = sizes.length - 1; i >= 0; i--) {
            end = ((end + sizes[i] - 1) & -sizes[i]) + sizes[i];
        }
        return end;
    }

    /** Null for a BAR that is not mapped, or lies partly outside the window. */
    private @Nullable Route routeTo(VirtioPciFunction function, int bar) {
        long address = function.barAddress(bar);
        long start = address - memoryStart;
        long size = function.barSize(bar);
        boolean inside = address != VirtioPciFunction.NOT_MAPPED && start >= 0 && start <= memorySize - size;
        return inside ? new Route(start, start + size, function, bar) : null;
    }

    private @Nullable Route find(long offset) {
        for (Route route : routes) {
            if (offset >= route.start && offset < route.end) {
                return route;
            }
        }
        return null;
    }
}
