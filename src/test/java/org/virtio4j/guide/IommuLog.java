// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.util.function.Consumer;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.wire.iommu.RequestStatus;

// guide: begin

/** Reports what the embedder of an IOMMU should know at once. */
final class IommuLog implements IommuListener {

    private final Consumer<String> log;

    IommuLog(Consumer<String> log) {
        this.log = log;
    }

    @Override
    public void served(ServedRequest request) {
        if (request.understood() && request.status() == RequestStatus.NOMEM) {
            log.accept("a limit of mappings or domains is reached, and Linux may not recover from that");
        }
    }

    @Override
    public void unreservedDoorbell(int endpoint, long virtStart, long physStart) {
        log.accept("endpoint " + endpoint + " needs a reserved region for the doorbell at 0x"
                + Long.toHexString(physStart) + ", or its interrupts are lost");
    }
}
// guide: end
