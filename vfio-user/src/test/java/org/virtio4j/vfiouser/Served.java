// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.nio.file.Path;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.pci.VirtioPciFunction;

/** A virtio-iommu that is served at a socket in a folder of its own. */
final class Served implements AutoCloseable {

    static final int ENDPOINT = 0x48;

    final VfioUserSocket socket;
    final VirtioIommu iommu;
    final VirtioPciFunction function;

    Served(Path folder) throws IOException {
        this(folder, VfioUserOptions.DEFAULT);
    }

    Served(Path folder, VfioUserOptions options) throws IOException {
        socket = VfioUserSocket.at(folder.resolve("iommu.sock"), options);
        iommu = VirtioIommu.builder().endpoint(ENDPOINT).build();
        function = VirtioPciFunction.of(iommu, DmaSpace.identity(socket.memory()), socket.interrupts());
        socket.start(function);
    }

    TestClient connect() {
        return TestClient.of(socket.path());
    }

    @Override
    public void close() {
        socket.close();
    }
}
