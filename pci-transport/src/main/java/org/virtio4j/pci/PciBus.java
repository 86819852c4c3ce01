// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.pci.PciHeader;

/**
 * A root bus for hypervisors that have none: two windows of guest-physical addresses, one through which the guest
 * configures its functions (the enhanced configuration access mechanism of PCI Express 3.0, section 7.2.2) and one in
 * which it places their BARs. A device tree describes the pair as {@code pci-host-ecam-generic}. Every function has a
 * BAR of 32 bits, so that the second window, or enough of it, lies below 4 GiB.
 *
 * <p>The handlers may be called from any thread. A function is added before the guest runs. Where nothing is, reads
 * give all ones, as on a real bus, and writes are lost.
 */
public final class PciBus {

    /** The last address that a BAR of 32 bits can have. */
    static final long LAST_NARROW = 0xffff_ffffL;

    /** Bytes of the configuration window: bus 0, 32 devices with 8 functions each. */
    public static final long ECAM_SIZE = 1 << 20;

    private static final int DEVICES = 32;
    private static final int FUNCTIONS = 8;
    private static final int[] BARS = {Bars.VIRTIO, Bars.MSIX};

    /** A BAR where the guest has placed it; the end is exclusive, as an offset in the memory window. */
    private record Route(long start, long end, VirtioPciFunction function, int bar) {
    }

    private final long memoryStart;
    private final long memorySize;
    private final @Nullable VirtioPciFunction[] functions = new VirtioPciFunction[DEVICES * FUNCTIONS];
    private final ReentrantLock lock = new ReentrantLock();

    /** Replaced under the lock whenever a BAR may have moved. */
    private volatile Route[] routes = new Route[0];

    /**
     * A bus with nothing on it.
     *
     * @param memoryStart guest-physical address of the window for BARs, below 4 GiB; the guest gets to know it by other
     *         means
     * @param memorySize  bytes of that window
     * @throws IllegalArgumentException if the window is empty or wraps around the 64-bit space
     */
    public PciBus(long memoryStart, long memorySize) {
        if (memorySize <= 0 || Long.compareUnsigned(memoryStart + memorySize - 1, memoryStart) < 0) {
            throw new IllegalArgumentException("memoryStart=0x" + Long.toHexString(memoryStart) + ", memorySize="
                    + memorySize + ", but the window for BARs needs a size and an end");
        }
        this.memoryStart = memoryStart;
        this.memorySize = memorySize;
    }

    /**
     * Hangs a function on the bus, before the guest runs.
     *
     * @param device   number of its slot, 0 to 31
     * @param function its number in the slot, 0 to 7; a slot needs a function 0 for the others to be found
     * @param added    the function
     * @throws IllegalArgumentException if there is no such place or it is taken, the function is on the bus already, or
     *         its BARs and those of the others do not fit into the window, or its BARs of 32 bits into what of the
     *         window lies below 4 GiB, so that no guest could use it
     */
    public void add(int device, int function, VirtioPciFunction added) {
        if (device < 0 || device >= DEVICES || function < 0 || function >= FUNCTIONS) {
            throw new IllegalArgumentException("device=" + device + ", function=" + function
                    + ", but a bus has devices 0 to 31 with functions 0 to 7");
        }
        int place = device * FUNCTIONS + function;
        if (functions[place] != null) {
            throw new IllegalArgumentException("device=" + device + ", function=" + function
                    + " is taken; choose another place");
        }
        if (Arrays.asList(functions).contains(added)) {
            throw new IllegalArgumentException("device=" + device + ", function=" + function
                    + " would be the second place of one function; make another function");
        }
        functions[place] = added;
        String refusal = refusal();
        if (!refusal.isEmpty()) {
            functions[place] = null;
            throw new IllegalArgumentException(refusal);
        }
    }

    /** Why no guest could place the BARs; empty if one could. */
    private String refusal() {
        boolean below = Long.compareUnsigned(memoryStart + memorySize - 1, LAST_NARROW) <= 0;
        long narrow = end(memoryStart, Bars.MSIX);
        if (!below && Long.compareUnsigned(narrow - 1, LAST_NARROW) > 0) {
            return "memoryStart=0x" + Long.toHexString(memoryStart) + ", but BARs of 32 bits take "
                    + (narrow - memoryStart) + " bytes below 4 GiB; let the window begin lower";
        }
        long needed = (below ? end(memoryStart, Bars.MSIX, Bars.VIRTIO) : end(narrow, Bars.VIRTIO)) - memoryStart;
        return needed <= memorySize ? "" : "memorySize=" + memorySize + ", but from memoryStart=0x"
                + Long.toHexString(memoryStart) + " on the BARs take " + needed + " bytes; give a larger window";
    }

    /** How far BARs reach when each is aligned to its size: the large ones first leave no gap but before them. */
    private long end(long start, int... bars) {
        long[] sizes = Arrays.stream(functions).filter(Objects::nonNull).map(Objects::requireNonNull)
                .flatMapToLong(each -> Arrays.stream(bars).mapToLong(each::barSize)).sorted().toArray();
        long end = start;
        for (int i = sizes.length - 1; i >= 0; i--) {
            end = ((end + sizes[i] - 1) & -sizes[i]) + sizes[i];
        }
        return end;
    }

    /**
     * The configuration window.
     *
     * @return registers, to be mapped with {@link #ECAM_SIZE} bytes: device number times 32 KiB, function number times
     *         4 KiB
     */
    public RegisterHandler ecam() {
        return new Ecam();
    }

    /**
     * The window for BARs.
     *
     * @return registers, to be mapped where and as large as the constructor was told
     */
    public RegisterHandler memory() {
        return new Memory();
    }

    /** What a bus reads where nobody answers; 0 for a width that no bus has. */
    static long allOnes(int width) {
        return switch (width) {
            case Byte.BYTES -> 0xff;
            case Short.BYTES -> 0xffff;
            case Integer.BYTES -> 0xffff_ffffL;
            case Long.BYTES -> -1;
            default -> 0;
        };
    }

    private @Nullable VirtioPciFunction at(long offset) {
        return offset >= 0 && offset < ECAM_SIZE ? functions[(int) (offset / PciHeader.EXTENDED_SPACE_SIZE)] : null;
    }

    /** Whether functions other than 0 are in the slot, which function 0's header must say. */
    private boolean isShared(long offset) {
        int place = (int) (offset / PciHeader.EXTENDED_SPACE_SIZE);
        if (place % FUNCTIONS != 0) {
            return false;
        }
        for (int other = place + 1; other < place + FUNCTIONS; other++) {
            if (functions[other] != null) {
                return true;
            }
        }
        return false;
    }

    /** Not so for an access that configuration space does not take, and answers with 0. */
    private static boolean showsHeaderType(long register, int width) {
        boolean taken = width == Byte.BYTES || width == Short.BYTES || width == Integer.BYTES;
        return taken && register % width == 0
                && register <= PciHeader.HEADER_TYPE && register + width > PciHeader.HEADER_TYPE;
    }

    private void route() {
        lock.lock();
        try {
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
        } finally {
            lock.unlock();
        }
    }

    /** Null for a BAR that is not mapped, or lies partly outside of the window. */
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

    private final class Ecam implements RegisterHandler {

        @Override
        public long read(long offset, int width) {
            VirtioPciFunction function = at(offset);
            if (function == null) {
                return allOnes(width);
            }
            long register = offset % PciHeader.EXTENDED_SPACE_SIZE;
            long value = function.readConfig(register, width);
            if (showsHeaderType(register, width) && isShared(offset)) {
                value |= (long) PciHeader.MULTI_FUNCTION << ((PciHeader.HEADER_TYPE - register) * Byte.SIZE);
            }
            return value;
        }

        @Override
        public void write(long offset, int width, long value) {
            VirtioPciFunction function = at(offset);
            if (function != null) {
                function.writeConfig(offset % PciHeader.EXTENDED_SPACE_SIZE, width, value);
                route();
            }
        }
    }

    private final class Memory implements RegisterHandler {

        @Override
        public long read(long offset, int width) {
            Route route = find(offset);
            return route == null ? allOnes(width) : route.function.readBar(route.bar, offset - route.start, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            Route route = find(offset);
            if (route != null) {
                route.function.writeBar(route.bar, offset - route.start, width, value);
            }
        }
    }
}
