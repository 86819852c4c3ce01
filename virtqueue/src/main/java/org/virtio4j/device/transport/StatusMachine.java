// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.virtio4j.wire.DeviceStatus;

/**
 * The device status (virtio 1.4, section 2.1): which steps a driver may take, and why the device needs a reset.
 *
 * <p>Any thread may read, and may set {@code NEEDS_RESET}, as a device at work does. Everything else changes under the
 * control lock. So each change is atomic.
 */
final class StatusMachine {

    /** The bits that a driver sets. {@code NEEDS_RESET} is the device's. */
    static final int DRIVER_BITS = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK
            | DeviceStatus.DRIVER_OK | DeviceStatus.FAILED;

    private final AtomicInteger bits = new AtomicInteger();

    /** Set before the bit: a thread that sees the bit of a device which is not being reset finds the reason. */
    private final AtomicReference<String> reason = new AtomicReference<>("");

    int bits() {
        return bits.get();
    }

    boolean has(int bit) {
        return (bits.get() & bit) != 0;
    }

    /** Whether a value adds a bit to what the driver has set so far. */
    boolean adds(int wanted, int bit) {
        return (wanted & ~bits.get() & bit) != 0;
    }

    /** Whether a driver may go on to a value: it clears no bit, and the bits come in their order. */
    boolean permits(int wanted) {
        return (bits.get() & DRIVER_BITS & ~wanted) == 0 && isInOrder(wanted);
    }

    /** A value without the bits that stay clear where the features cannot be accepted. */
    static int withoutFeatures(int wanted) {
        return wanted & ~(DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK);
    }

    /** Replaces the driver's bits, and keeps the device's. */
    void grant(int driverBits) {
        int ignored = bits.getAndUpdate(now -> (now & ~DRIVER_BITS) | driverBits);
    }

    /** Sets {@code NEEDS_RESET}; true for the first reason since the last reset, the only one that counts. */
    boolean needReset(String why) {
        boolean first = reason.compareAndSet("", why.isEmpty() ? "no reason given" : why);
        if (first) {
            int ignored = bits.getAndUpdate(now -> now | DeviceStatus.NEEDS_RESET);
        }
        return first;
    }

    /** Why the device needs a reset; empty if it does not. */
    String reason() {
        return reason.get();
    }

    void clearReason() {
        reason.set("");
    }

    void clear() {
        bits.set(0);
    }

    /**
     * What decides about features and start needs the bits before it. {@code ACKNOWLEDGE} decides about nothing:
     * section 3.1.1 has the driver set it first, asks nothing of the device, and some drivers leave it out.
     */
    private static boolean isInOrder(int bits) {
        return needs(bits, DeviceStatus.FEATURES_OK, DeviceStatus.DRIVER)
                && needs(bits, DeviceStatus.DRIVER_OK, DeviceStatus.FEATURES_OK);
    }

    private static boolean needs(int bits, int bit, int before) {
        return (bits & bit) == 0 || (bits & before) != 0;
    }
}
