// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

/**
 * The 128 feature bits that a driver handles (virtio 1.4, section 2.2). Immutable; any thread.
 *
 * @param low  bits 0 to 63
 * @param high bits 64 to 127
 */
public record FeatureSet(long low, long high) {

    /** No bit at all. */
    public static final FeatureSet NONE = new FeatureSet(0, 0);

    /** How many 32-bit words a transport shows. */
    public static final int WORDS = 4;

    /**
     * The set of some bits.
     *
     * @param bits numbers from 0 to 127, as in {@link org.virtio4j.wire.FeatureBit}
     * @return the set
     * @throws IllegalArgumentException if a number is out of range
     */
    public static FeatureSet of(int... bits) {
        FeatureSet set = NONE;
        for (int bit : bits) {
            set = set.with(bit);
        }
        return set;
    }

    /**
     * The set that a transport shows.
     *
     * @param transport where to read the words
     * @return what the device offers
     */
    public static FeatureSet offeredBy(DriverTransport transport) {
        long low = Integer.toUnsignedLong(transport.offeredFeatures(0))
                | ((long) transport.offeredFeatures(1) << Integer.SIZE);
        long high = Integer.toUnsignedLong(transport.offeredFeatures(2))
                | ((long) transport.offeredFeatures(3) << Integer.SIZE);
        return new FeatureSet(low, high);
    }

    /**
     * Whether a bit is in the set.
     *
     * @param bit number, 0 to 127
     * @return true if it is
     * @throws IllegalArgumentException if the number is out of range
     */
    public boolean has(int bit) {
        checkBit(bit);
        return (((bit < Long.SIZE ? low : high) >>> bit) & 1) != 0;
    }

    /**
     * This set and one bit more.
     *
     * @param bit number, 0 to 127
     * @return the larger set
     * @throws IllegalArgumentException if the number is out of range
     */
    public FeatureSet with(int bit) {
        checkBit(bit);
        return bit < Long.SIZE ? new FeatureSet(low | (1L << bit), high) : new FeatureSet(low, high | (1L << bit));
    }

    /**
     * This set but one bit.
     *
     * @param bit number, 0 to 127
     * @return the smaller set
     * @throws IllegalArgumentException if the number is out of range
     */
    public FeatureSet without(int bit) {
        checkBit(bit);
        return bit < Long.SIZE ? new FeatureSet(low & ~(1L << bit), high) : new FeatureSet(low, high & ~(1L << bit));
    }

    /**
     * What both sets have.
     *
     * @param other the other set
     * @return the bits of both
     */
    public FeatureSet and(FeatureSet other) {
        return new FeatureSet(low & other.low, high & other.high);
    }

    /**
     * 32 bits as a feature register holds them.
     *
     * @param index which word, 0 to {@link #WORDS} − 1
     * @return bits {@code 32 * index} and up
     * @throws IllegalArgumentException if there is no such word
     */
    public int word(int index) {
        checkBit(index * Integer.SIZE);
        return (int) ((index < 2 ? low : high) >>> (index % 2 * Integer.SIZE));
    }

    private static void checkBit(int bit) {
        if (bit < 0 || bit >= WORDS * Integer.SIZE) {
            throw new IllegalArgumentException("bit=" + bit + ", but there are 128, counted from 0");
        }
    }
}
