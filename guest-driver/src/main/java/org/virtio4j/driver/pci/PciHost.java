// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.pci.PciHeader;

/**
 * What a guest's CPU sees of a PCI host bridge: the configuration space of bus 0 as an ECAM window, and a memory window
 * in which BARs can be placed. Finds virtio functions there as firmware and driver do between them, by configuration
 * accesses alone, so the two windows may be those of any bus and any device.
 *
 * <p>Belongs to one thread at a time, and to the time before the devices are at work.
 */
public final class PciHost {

    /** What was found at the place of a function. */
    public enum Discovery {
        /** No function at all. */
        EMPTY,
        /** A function of another vendor, another device, or a bridge. */
        NOT_VIRTIO,
        /** A virtio function with a transitional device ID, 0x1000 to 0x103f, which this driver leaves alone. */
        TRANSITIONAL,
        /** No common configuration in a memory BAR that a driver could use. */
        NO_COMMON_CONFIG,
        /** No notification structure in a memory BAR that a driver could use. */
        NO_NOTIFICATIONS,
        /** No ISR status in a memory BAR. */
        NO_ISR_STATUS,
        /** What is left of the memory window has no room for the BARs; 32-bit BARs need one below 4 GiB. */
        NO_ROOM,
        /** A virtio function that can be driven. */
        FOUND
    }

    private static final int DEVICES = 32;
    private static final int FUNCTIONS = 8;
    private static final int FIRST_TRANSITIONAL = 0x1000;

    private final RegisterHandler ecam;
    private final RegisterHandler memory;
    private final long memoryStart;
    private final long memorySize;
    private final Discovery[] discoveries = new Discovery[DEVICES * FUNCTIONS];

    /**
     * A host bridge that was not scanned yet.
     *
     * @param ecam        configuration space of bus 0; the offset is {@code device << 15 | function << 12 | register}
     * @param memory      the memory window; offsets count from {@code memoryStart}
     * @param memoryStart guest-physical address of the first byte of the memory window
     * @param memorySize  bytes of the memory window
     * @throws IllegalArgumentException if the size is not positive or the window wraps around the 64-bit space
     */
    public PciHost(RegisterHandler ecam, RegisterHandler memory, long memoryStart, long memorySize) {
        if (memorySize <= 0 || Long.compareUnsigned(memoryStart + (memorySize - 1), memoryStart) < 0) {
            throw new IllegalArgumentException("memoryStart=0x" + Long.toHexString(memoryStart) + " memorySize="
                    + memorySize + " is no range of guest-physical addresses");
        }
        this.ecam = ecam;
        this.memory = memory;
        this.memoryStart = memoryStart;
        this.memorySize = memorySize;
        Arrays.fill(discoveries, Discovery.EMPTY);
    }

    /**
     * Finds every virtio function on bus 0 (virtio 1.4, section 4.1.2.2), sizes its BARs, places each aligned to its
     * size, and sets {@code MEMORY_SPACE} and {@code BUS_MASTER}. Whatever cannot be driven is left as it was, and
     * {@link #discovery} says why. Each scan starts from the beginning, as firmware does when the machine was reset:
     * what it finds again is switched off for a moment and placed again. While the bus has the same functions, that is
     * where they were, and the transports of an earlier scan go on working.
     *
     * @return a transport for each function that can be driven, in the order of device and function
     */
    public List<PciDriverTransport> scan() {
        PciMemoryWindow window = new PciMemoryWindow(memory, memoryStart, memorySize);
        List<PciDriverTransport> found = new ArrayList<>();
        Arrays.fill(discoveries, Discovery.EMPTY);
        for (int device = 0; device < DEVICES; device++) {
            int functions = functions(device);
            for (int function = 0; function < functions; function++) {
                PciFunctionConfig config = new PciFunctionConfig(ecam, device, function);
                discoveries[device * FUNCTIONS + function] = take(config, window, found);
            }
        }
        return found;
    }

    /**
     * What the last scan made of a function.
     *
     * @param device   number of the device, 0 to 31
     * @param function number of the function, 0 to 7
     * @return what it found there; {@link Discovery#EMPTY} if there was no scan yet
     * @throws IllegalArgumentException if a number is out of range
     */
    public Discovery discovery(int device, int function) {
        if (device < 0 || device >= DEVICES || function < 0 || function >= FUNCTIONS) {
            throw new IllegalArgumentException("device=" + device + " function=" + function
                    + ", but a bus has devices 0 to 31 with functions 0 to 7");
        }
        return discoveries[device * FUNCTIONS + function];
    }

    /** How many functions a device may have. Others may be looked for only if function 0 says that there are more. */
    private int functions(int device) {
        PciFunctionConfig config = new PciFunctionConfig(ecam, device, 0);
        if (!config.isThere()) {
            return 0;
        }
        return (config.u8(PciHeader.HEADER_TYPE) & PciHeader.MULTI_FUNCTION) == 0 ? 1 : FUNCTIONS;
    }

    private static Discovery take(PciFunctionConfig config, PciMemoryWindow window, List<PciDriverTransport> found) {
        Discovery identity = identify(config);
        return identity == Discovery.FOUND ? setUp(config, window, found) : identity;
    }

    private static Discovery identify(PciFunctionConfig config) {
        int vendor = config.u16(PciHeader.VENDOR_ID);
        if (vendor == PciHeader.NO_FUNCTION) {
            return Discovery.EMPTY;
        }
        int device = config.u16(PciHeader.DEVICE_ID);
        boolean virtio = vendor == PciHeader.VIRTIO_VENDOR && device >= FIRST_TRANSITIONAL
                && device <= PciHeader.VIRTIO_DEVICE_LAST
                && (config.u8(PciHeader.HEADER_TYPE) & ~PciHeader.MULTI_FUNCTION) == 0;
        if (!virtio) {
            return Discovery.NOT_VIRTIO;
        }
        return device < PciHeader.VIRTIO_DEVICE_BASE ? Discovery.TRANSITIONAL : Discovery.FOUND;
    }

    private static Discovery setUp(PciFunctionConfig config, PciMemoryWindow window, List<PciDriverTransport> found) {
        int command = config.u16(PciHeader.COMMAND);
        config.putU16(PciHeader.COMMAND, 0);
        PciFunction function = new PciFunction(config, window);
        FoundStructures structures = FoundStructures.find(config, function.capabilities(), function.bars());
        Discovery discovery = structures.discovery();
        if (discovery == Discovery.FOUND && !function.place()) {
            discovery = Discovery.NO_ROOM;
        }
        if (discovery == Discovery.FOUND) {
            function.enable();
            found.add(new PciDriverTransport(function, structures));
        } else {
            config.putU16(PciHeader.COMMAND, command);
        }
        return discovery;
    }
}
