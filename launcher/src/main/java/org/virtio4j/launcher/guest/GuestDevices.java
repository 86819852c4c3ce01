// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.guest;

import java.io.IOException;
import java.util.List;

/** IOMMU, disk and entropy source of one guest, from before QEMU starts to after it has ended. */
interface GuestDevices extends AutoCloseable {

    /** Says to QEMU where they are; files for QEMU are put into the folder. */
    void addTo(QemuCommand command, RunFolder folder) throws IOException;

    /** Lets an endpoint access what is not mapped for it. */
    void strayDma();

    /** What they have seen, a line each. QEMU has ended. */
    List<String> report();

    /** Frees all that they use. QEMU has ended. */
    @Override
    void close() throws IOException;
}
