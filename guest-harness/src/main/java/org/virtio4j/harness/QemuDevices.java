// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.util.List;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;

/** QEMU's own devices, to compare with. */
final class QemuDevices implements GuestDevices {

    @Override
    public void addTo(QemuCommand command, RunFolder folder) {
        command.ownIommu(Guest.IOMMU).ownRng(Guest.RNG).ownDisk(Guest.DISK, folder.path(RunFolder.DISK));
    }

    @Override
    public void strayDma() {
        throw new IllegalStateException("QEMU's devices cannot be made to misbehave");
    }

    @Override
    public List<String> report() {
        return List.of();
    }

    @Override
    public void close() {
        // They end with QEMU.
    }
}
