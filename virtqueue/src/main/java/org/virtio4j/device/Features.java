// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

/**
 * A set of feature bits (virtio 1.4, section 2.2). Bits 128 and above exist in no specification yet and are never set.
 *
 * @param low  bits 0 to 63
 * @param high bits 64 to 127
 */
public record Features(long low, long high) {

    /** No bit at all. */
    public static final Features NONE = new Features(0, 0);

    /** How many 32-bit words a feature select register can choose. */
    public static final int WORDS = 4;

    private static final long WORD_MASK = 0xffff_ffffL;

    /**
     * The set of the bits named.
     *
     * @param bits bit numbers, 0 to 127
     * @return the set
     * @throws IllegalArgumentException if a number is out of range
     */
    public static Features of(int... bits) {
        Features set = NONE;
        for (int bit : bits) {
            set = set.with(bit);
        }
        return set;
    }

    /**
     * Whether a bit is in the set.
     *
     * @param bit bit number, 0 to 127
     * @return true if it is
     * @throws IllegalArgumentException if the number is out of range
     */
    public boolean has(int bit) {
        check(bit);
        return (((bit < Long.SIZE ? low : high) >>> bit) & 1) != 0;
    }

    /**
     * This set and one bit more.
     *
     * @param bit bit number, 0 to 127
     * @return the larger set
     * @throws IllegalArgumentException if the number is out of range
     */
    public Features with(int bit) {
        check(bit);
        return bit < Long.SIZE ? new Features(low | (1L << bit), high) : new Features(low, high | (1L << bit));
    }

    /**
     * This set but one bit.
     *
     * @param bit bit number, 0 to 127
     * @return the smaller set
     * @throws IllegalArgumentException if the number is out of range
     */
    public Features without(int bit) {
        check(bit);
        return bit < Long.SIZE ? new Features(low & ~(1L << bit), high) : new Features(low, high & ~(1L << bit));
    }

    /**
     * What both sets have.
     *
     * @param other the other set
     * @return the bits of both
     */
    public Features and(Features other) {
        return new Features(low & other.low, high & other.high);
    }

    /**
     * What either set has.
     *
     * @param other the other set
     * @return the bits of this set and those of the other
     */
    public Features or(Features other) {
        return new Features(low | other.low, high | other.high);
    }

    /**
     * Whether another set has all bits of this one.
     *
     * @param offered the other set
     * @return true if it has
     */
    public boolean within(Features offered) {
        return and(offered).equals(this);
    }

    /**
     * 32 bits as a feature register shows them.
     *
     * @param index the value of the select register
     * @return bits {@code 32 * index} and up, 0 from {@link #WORDS} on
     */
    public int word(int index) {
        if (index < 0 || index >= WORDS) {
            return 0;
        }
        return (int) ((index < 2 ? low : high) >>> (index % 2 * Integer.SIZE));
    }

    /**
     * This set with 32 bits replaced.
     *
     * @param index which word, 0 to {@link #WORDS} − 1
     * @param bits  the new bits
     * @return the new set; this one if there is no such word
     */
    public Features withWord(int index, int bits) {
        if (index < 0 || index >= WORDS) {
            return this;
        }
        int shift = index % 2 * Integer.SIZE;
        long kept = ~(WORD_MASK << shift);
        long added = Integer.toUnsignedLong(bits) << shift;
        return index < 2 ? new Features((low & kept) | added, high) : new Features(low, (high & kept) | added);
    }

    private static void check(int bit) {
        if (bit < 0 || bit >= 2 * Long.SIZE) {
            throw new IllegalArgumentException("bit=" + bit + ", but feature bits go from 0 to 127");
        }
    }
}
