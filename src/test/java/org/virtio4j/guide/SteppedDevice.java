// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.mmio.VirtioMmioDevice;

// guide: begin

/** For an emulator with one stepping thread, int offsets and widths as powers of two. */
final class SteppedDevice {

    private final VirtioMmioDevice window;
    private final boolean polled;
    private final Runnable raise;
    private final Runnable lower;

    /** Set on whatever thread the device works on, looked at by the stepping thread. */
    private volatile boolean wanted;
    private boolean shown;

    SteppedDevice(VirtioDevice device, DmaSpace dma, Runnable raise, Runnable lower) {
        this.window = VirtioMmioDevice.of(device, dma, level -> wanted = level);
        this.polled = device.isPolled();
        this.raise = raise;
        this.lower = lower;
    }

    long load(int offset, int sizeLog2) {
        return window.read(offset, 1 << sizeLog2);
    }

    void store(int offset, long value, int sizeLog2) {
        window.write(offset, 1 << sizeLog2, value);
    }

    /** Called by the emulator between two slices of guest code. */
    void step() {
        if (polled) {
            int ignored = window.poll();     // first, so that its answer raises the line in this step
        }
        boolean high = wanted;
        if (high) {
            raise.run();                     // in every step: a controller may have lost the level
        } else if (shown) {
            lower.run();
        }
        shown = high;
    }
}
// guide: end
