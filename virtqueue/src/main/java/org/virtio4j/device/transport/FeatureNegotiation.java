// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.virtio4j.device.Features;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/**
 * What a device offers and what its driver has accepted (virtio 1.4, sections 2.2 and 6). A transport reads and writes
 * both in words of 32 bits; the word that the driver has selected is the transport's to remember.
 *
 * <p>Any thread. Accepting takes the control lock.
 */
public final class FeatureNegotiation {

    /** Section 2.2: these bits are for rings, transports and the future, and so not for a device type. */
    private static final int FIRST_COMMON_BIT = 24;
    private static final int LAST_COMMON_BIT = 49;

    private final LifecycleState state;
    private final boolean translated;
    private final Features offered;
    private Features accepted = Features.NONE;

    FeatureNegotiation(LifecycleState state) {
        this.state = state;
        this.translated = state.dma.translated();
        this.offered = offer(state.device.offered(), translated);
    }

    /**
     * 32 of the feature bits that the device offers.
     *
     * @param select which word; 0 is returned beyond the last
     * @return the bits
     */
    public int offered(long select) {
        return word(offered, select);
    }

    /**
     * 32 of the bits that the driver has accepted so far, as far as they are offered.
     *
     * @param select which word; 0 is returned beyond the last
     * @return the bits
     */
    public int accepted(long select) {
        state.lock.lock();
        try {
            return word(accepted.and(offered), select);
        } finally {
            state.lock.unlock();
        }
    }

    /**
     * Accepts 32 feature bits. Ignored once {@code FEATURES_OK} is set.
     *
     * @param select which word
     * @param bits   what the driver accepts; bits that are not offered make {@code FEATURES_OK} fail
     */
    public void accept(long select, int bits) {
        state.lock.lock();
        try {
            boolean open = !state.status.has(DeviceStatus.FEATURES_OK) && !state.isResetting();
            if (open && select >= 0 && select < Features.WORDS) {
                accepted = accepted.withWord((int) select, bits);
            }
        } finally {
            state.lock.unlock();
        }
    }

    // Under the control lock

    Features accepted() {
        return accepted;
    }

    void reset() {
        accepted = Features.NONE;
    }

    /**
     * Why the features cannot be accepted, empty if they can. Section 6: a modern device needs {@code VERSION_1}, and
     * one behind an IOMMU may insist on {@code ACCESS_PLATFORM}.
     */
    String refusal() {
        if (!accepted.within(offered)) {
            return "the driver accepted features that are not offered: " + accepted + " of " + offered;
        }
        if (!accepted.has(FeatureBit.VERSION_1)) {
            return "the driver did not accept VERSION_1 (bit " + FeatureBit.VERSION_1 + ")";
        }
        return !translated || accepted.has(FeatureBit.ACCESS_PLATFORM) ? ""
                : "the driver did not accept ACCESS_PLATFORM (bit " + FeatureBit.ACCESS_PLATFORM
                        + "), but the device is behind an IOMMU";
    }

    private static Features offer(Features own, boolean translated) {
        for (int bit = FIRST_COMMON_BIT; bit <= LAST_COMMON_BIT; bit++) {
            if (own.has(bit) && bit != FeatureBit.NOTIFICATION_DATA && !isAdded(bit)) {
                throw new IllegalArgumentException("offered=" + own + " contains bit " + bit + ", which is not a device"
                        + " type's to offer (section 2.2); offer bits 0 to " + (FIRST_COMMON_BIT - 1) + " and from "
                        + (LAST_COMMON_BIT + 1) + " on" + hint(bit));
            }
        }
        Features all = own.with(FeatureBit.VERSION_1).with(FeatureBit.INDIRECT_DESC)
                .with(FeatureBit.EVENT_IDX).with(FeatureBit.RING_RESET);
        return translated ? all.with(FeatureBit.ACCESS_PLATFORM) : all;
    }

    private static String hint(int bit) {
        return bit == FeatureBit.ADMIN_VQ || bit == FeatureBit.SR_IOV
                ? "; ADMIN_VQ and SR_IOV need registers of PCI that no transport here has" : "";
    }

    private static boolean isAdded(int bit) {
        return bit == FeatureBit.VERSION_1 || bit == FeatureBit.INDIRECT_DESC || bit == FeatureBit.EVENT_IDX
                || bit == FeatureBit.RING_RESET;
    }

    private static int word(Features features, long select) {
        return select >= 0 && select < Features.WORDS ? features.word((int) select) : 0;
    }
}
