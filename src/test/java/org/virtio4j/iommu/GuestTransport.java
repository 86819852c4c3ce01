// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.MmioDriverTransport;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.DmaSpace;

/** The ways a guest can reach the device; every test of this package runs over each. */
enum GuestTransport {

    /** Registers of virtio-mmio, version 2. */
    MMIO {
        @Override
        Connection connect(VirtioDevice device, DmaSpace dma, Runnable interrupt) {
            VirtioMmioDevice window = VirtioMmioDevice.of(device, dma, level -> {
                if (level) {
                    interrupt.run();
                }
            });
            return new Connection() {
                @Override
                public DriverTransport driver() {
                    return MmioDriverTransport.of(window);
                }

                @Override
                public void reset(ResetKind kind) {
                    window.reset(kind);
                }
            };
        }
    };

    /** Both ends of a device behind its transport. */
    interface Connection {

        /** What a guest's driver talks to. */
        DriverTransport driver();

        /** What the machine does to the device from outside. */
        void reset(ResetKind kind);
    }

    /** Puts a device behind this transport; {@code interrupt} runs when the guest is interrupted. */
    abstract Connection connect(VirtioDevice device, DmaSpace dma, Runnable interrupt);
}
