// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

/**
 * How the devices of a guest are set up.
 *
 * @param iommuRing entries of each of the IOMMU's rings
 * @param diskRing entries of each of the disk's rings
 * @param canary whether RAM has a {@link Canary}, for which it must be a file
 * @param bypassAfterReset whether a reset of the IOMMU alone lets endpoints through
 * @param named whether the devices are told of the file that is RAM, if it is one, and open it themselves
 * @param mistake how they are connected
 */
record Wiring(int iommuRing, int diskRing, boolean canary, boolean bypassAfterReset, boolean named, Mistake mistake) {

    /** Rings of the size that devices have if nobody says otherwise; connected as they should be. */
    static final Wiring DEFAULT = new Wiring(256, 256, false, false, true, Mistake.NONE);

    /** The same with a canary. */
    static final Wiring WITH_CANARY = new Wiring(256, 256, true, false, true, Mistake.NONE);

    Wiring rings(int entries) {
        return new Wiring(entries, entries, canary, bypassAfterReset, named, mistake);
    }

    Wiring withBypassAfterReset() {
        return new Wiring(iommuRing, diskRing, canary, true, named, mistake);
    }

    /** RAM that is a file comes as a descriptor that nobody has sealed. */
    Wiring withUnsealedMemory() {
        return new Wiring(iommuRing, diskRing, canary, bypassAfterReset, false, mistake);
    }

    Wiring with(Mistake made) {
        return new Wiring(iommuRing, diskRing, canary, bypassAfterReset, named, made);
    }
}
