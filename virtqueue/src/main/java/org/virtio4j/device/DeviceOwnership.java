// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

/**
 * From when to when a device belongs to one life cycle: it is claimed once, and given up when the reset is complete
 * that follows on the end. Under the control lock, but for {@link #claim}.
 */
final class DeviceOwnership {

    private final VirtioDevice device;
    private final SoleOwner.Holder holder;
    private boolean over;
    private boolean givenUp;

    /**
     * Nobody's yet.
     *
     * @param holder finishes the last reset for whoever wants the device next
     */
    DeviceOwnership(VirtioDevice device, SoleOwner.Holder holder) {
        this.device = device;
        this.holder = holder;
    }

    void claim() {
        SoleOwner owner = device.owner();
        if (owner != null) {
            owner.take(holder, device);
        }
    }

    /** Lets no driver start the device any more. */
    void end() {
        over = true;
    }

    boolean isOver() {
        return over;
    }

    /** Whether the device may belong to another life cycle by now, so that nothing of it is touched any more. */
    boolean isGivenUp() {
        return givenUp;
    }

    void giveUp() {
        givenUp = true;
        SoleOwner owner = device.owner();
        if (owner != null) {
            owner.release(holder);
        }
    }
}
