// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.virtio4j.vmm.Translator;

/**
 * How a guest's devices are put together: as they should be, but for what a test changes.
 *
 * @param requestRing entries of each of the IOMMU's rings
 * @param diskRing entries of each of the disk's rings
 * @param canary whether RAM has a {@link Canary}, for which it must be a file
 * @param disk the file that is the disk, or null for a new one
 * @param entropyTranslated whether DMA of the entropy source goes through the IOMMU
 * @param entropyTranslator what stands before the IOMMU, seen from the entropy source
 * @param bypassAfterReset whether a reset of the IOMMU lets endpoints through
 * @param order how the machine is reset
 */
record Wiring(int requestRing, int diskRing, boolean canary, Path disk, boolean entropyTranslated,
        UnaryOperator<Translator> entropyTranslator, boolean bypassAfterReset, Order order) {

    static final Wiring DEFAULT =
            new Wiring(256, 256, false, null, true, UnaryOperator.identity(), false, Order.RIGHT);

    /** How a machine is reset whose entropy source is in the middle of a DMA. */
    enum Order {
        /** First the endpoints, which wait for their DMA, then the IOMMU. */
        RIGHT,
        /** First the IOMMU. */
        IOMMU_FIRST,
        /** The endpoints do not wait for their DMA. */
        NOT_AWAITED
    }

    Wiring rings(int requests, int diskRequests) {
        return new Wiring(requests, diskRequests, canary, disk, entropyTranslated, entropyTranslator,
                bypassAfterReset, order);
    }

    Wiring withCanary() {
        return new Wiring(requestRing, diskRing, true, disk, entropyTranslated, entropyTranslator, bypassAfterReset,
                order);
    }

    Wiring withDisk(Path file) {
        return new Wiring(requestRing, diskRing, canary, file, entropyTranslated, entropyTranslator,
                bypassAfterReset, order);
    }

    Wiring withoutTranslation() {
        return new Wiring(requestRing, diskRing, canary, disk, false, entropyTranslator, bypassAfterReset, order);
    }

    Wiring behind(UnaryOperator<Translator> before) {
        return new Wiring(requestRing, diskRing, canary, disk, entropyTranslated, before, bypassAfterReset, order);
    }

    Wiring withBypassAfterReset() {
        return new Wiring(requestRing, diskRing, canary, disk, entropyTranslated, entropyTranslator, true, order);
    }

    Wiring reset(Order other) {
        return new Wiring(requestRing, diskRing, canary, disk, entropyTranslated, entropyTranslator,
                bypassAfterReset, other);
    }
}
