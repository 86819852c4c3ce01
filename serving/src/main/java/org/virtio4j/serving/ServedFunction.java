// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioConsole;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.pci.PciOptions;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vfiouser.VfioUserSocket;

/**
 * A device with its socket and, between the two, its PCI function.
 *
 * @param address where it lies
 * @param device what it is; belongs to this
 * @param socket where it is served; belongs to this
 * @param dma what its DMA goes through
 * @param function how the guest sees it
 */
record ServedFunction(PciAddress address, VirtioDevice device, VfioUserSocket socket, DmaSpace dma,
        VirtioPciFunction function) implements Closing.Step {

    /** How the file name of a socket ends. */
    static final String SOCKET = ".sock";

    static ServedFunction of(PciAddress address, VirtioDevice device, VfioUserSocket socket, DmaSpace dma,
            PciOptions options, DeviceListener listener) {
        VirtioPciFunction function = VirtioPciFunction.of(device, dma, socket.interrupts(), options);
        function.listener(listener);
        return new ServedFunction(address, device, socket, dma, function);
    }

    /** What the user knows it by. */
    String name() {
        String file = String.valueOf(socket.path().getFileName());
        return file.substring(0, file.length() - SOCKET.length());
    }

    @Override
    public void close() throws IOException {
        try {
            socket.close();
            function.close();
        } finally {
            close(device);
        }
    }

    /** Frees what a device has beside guest memory: a disk its file, a console its socket, an IOMMU its tables. */
    static void close(VirtioDevice device) throws IOException {
        if (device instanceof VirtioBlock disk) {
            disk.close();
        } else if (device instanceof VirtioConsole console) {
            console.close();
        } else if (device instanceof VirtioIommu iommu) {
            iommu.close();
        }
    }
}
