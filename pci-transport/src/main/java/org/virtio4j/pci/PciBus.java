// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.pci.PciHeader;

/**
 * A root bus for hypervisors that have none. It is two windows of guest-physical addresses: one through which the guest
 * configures its functions (the enhanced configuration access mechanism of PCI Express 3.0, section 7.2.2) and one in
 * which it places their BARs. A device tree describes the pair as {@code pci-host-ecam-generic}. Every function has a
 * BAR of 32 bits, so that the second window, or enough of it, lies below 4 GiB.
 *
 * <p>All methods may be called from any thread. Functions may come and go while the guest runs; this bus has no
 * register by which a guest learns that, so it must be told by other means, or look at the bus again. Where nothing is,
 * reads give all ones, as on a real bus, and writes are lost.
 */
public final class PciBus {

    /** The last address that a BAR of 32 bits can have. */
    static final long LAST_NARROW = 0xffff_ffffL;

    /** Bytes of the configuration window: bus 0, 32 devices with 8 functions each. */
    public static final long ECAM_SIZE = 1 << 20;

    private static final int DEVICES = 32;
    private static final int FUNCTIONS = 8;

    /** Guards changes, so that a function that was removed is in no route. */
    private final ReentrantLock lock = new ReentrantLock();

    /** An array that nobody changes; another one takes its place. */
    private volatile @Nullable VirtioPciFunction[] functions = new VirtioPciFunction[DEVICES * FUNCTIONS];
    private final BarRoutes routes;

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
        this.routes = new BarRoutes(memoryStart, memorySize);
    }

    /**
     * Adds a function to the bus.
     *
     * @param device   number of its slot, 0 to 31
     * @param function its number in the slot, 0 to 7; a slot needs a function 0 for the others to be found
     * @param added    the function
     * @throws IllegalArgumentException if there is no such place or it is taken; if the function is on the bus already;
     *         or if no guest could use it, because its BARs and those of the others do not fit into the window, or its
     *         BARs of 32 bits not into the part of the window below 4 GiB
     */
    public void add(int device, int function, VirtioPciFunction added) {
        int place = place(device, function);
        lock.lock();
        try {
            @Nullable VirtioPciFunction[] more = functions.clone();
            if (more[place] != null) {
                throw new IllegalArgumentException("device=" + device + ", function=" + function
                        + " is taken; choose another place");
            }
            if (Arrays.asList(more).contains(added)) {
                throw new IllegalArgumentException("device=" + device + ", function=" + function
                        + " would be the second place of one function; make another function");
            }
            more[place] = added;
            String refusal = routes.refusal(more);
            if (!refusal.isEmpty()) {
                throw new IllegalArgumentException(refusal);
            }
            functions = more;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes a function from the bus: its registers and BARs read all ones from now on. An access that is under way may
     * still reach the function, which is closed after this.
     *
     * @param device   number of its slot
     * @param function its number in the slot
     * @throws IllegalArgumentException if no function is there
     */
    public void remove(int device, int function) {
        int place = place(device, function);
        lock.lock();
        try {
            @Nullable VirtioPciFunction[] fewer = functions.clone();
            if (fewer[place] == null) {
                throw new IllegalArgumentException("device=" + device + ", function=" + function
                        + ": no function is there");
            }
            fewer[place] = null;
            functions = fewer;
            routes.renew(fewer);
        } finally {
            lock.unlock();
        }
    }

    private void renewRoutes() {
        lock.lock();
        try {
            routes.renew(functions);
        } finally {
            lock.unlock();
        }
    }

    private static int place(int device, int function) {
        if (device < 0 || device >= DEVICES || function < 0 || function >= FUNCTIONS) {
            throw new IllegalArgumentException("device=" + device + ", function=" + function
                    + ", but a bus has devices 0 to 31 with functions 0 to 7");
        }
        return device * FUNCTIONS + function;
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
        return routes;
    }

    /** What a read returns where no function answers; 0 for a width that no bus has. */
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
        @Nullable VirtioPciFunction[] now = functions;
        for (int other = place + 1; other < place + FUNCTIONS; other++) {
            if (now[other] != null) {
                return true;
            }
        }
        return false;
    }

    /** False for an access that configuration space does not take and answers with 0. */
    private static boolean showsHeaderType(long register, int width) {
        boolean taken = width == Byte.BYTES || width == Short.BYTES || width == Integer.BYTES;
        return taken && register % width == 0
                && register <= PciHeader.HEADER_TYPE && register + width > PciHeader.HEADER_TYPE;
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
                renewRoutes();
            }
        }
    }
}
