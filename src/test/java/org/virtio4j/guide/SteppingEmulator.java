// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.vmm.RegisterHandler;

/**
 * As much of an emulator as an embedder brings: one stepping thread, {@code int} addresses, widths as powers of two,
 * windows that lie at multiples of 8, and a {@link LatchingController}.
 */
final class SteppingEmulator {

    private static final int FIRST_WINDOW = 0x1000_0128;
    private static final int WINDOW_SIZE = 0x200;

    private final LatchingController controller = new LatchingController();
    private final List<SteppedDevice> devices = new ArrayList<>();

    /** The guest's view of each device, in the order of the lines. */
    private final List<MmioDriverTransport> transports = new ArrayList<>();

    /** Puts a device into the next window and at the next line. */
    MmioDriverTransport add(VirtioDevice device, DmaSpace dma) {
        int line = devices.size();
        devices.add(new SteppedDevice(device, dma, () -> controller.raise(line), () -> controller.lower(line)));
        MmioDriverTransport transport = MmioDriverTransport.of(window(FIRST_WINDOW + line * WINDOW_SIZE));
        transports.add(transport);
        return transport;
    }

    LatchingController controller() {
        return controller;
    }

    int lineOf(MmioDriverTransport transport) {
        return transports.indexOf(transport);
    }

    /** What an emulator does between two slices of guest code. */
    void step() {
        devices.forEach(SteppedDevice::step);
    }

    /** Whether a device waits for the guest at a line that the controller does not know to be high. */
    boolean isLost(int line) {
        return transports.get(line).interruptStatus() != 0 && !controller.isPending(line);
    }

    /** Loads and stores of guest code. */
    private RegisterHandler window(int base) {
        return new RegisterHandler() {
            @Override
            public long read(long offset, int width) {
                return load(base + (int) offset, Integer.numberOfTrailingZeros(width));
            }

            @Override
            public void write(long offset, int width, long value) {
                store(base + (int) offset, value, Integer.numberOfTrailingZeros(width));
            }
        };
    }

    private long load(int address, int sizeLog2) {
        return at(address).load((address - FIRST_WINDOW) % WINDOW_SIZE, sizeLog2);
    }

    private void store(int address, long value, int sizeLog2) {
        at(address).store((address - FIRST_WINDOW) % WINDOW_SIZE, value, sizeLog2);
    }

    private SteppedDevice at(int address) {
        return devices.get((address - FIRST_WINDOW) / WINDOW_SIZE);
    }
}
