// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.Arrays;
import org.virtio4j.wire.pci.MsixEntry;

/**
 * The MSI-X table as the guest reads and writes it, and all that masks a vector (PCI Local Bus 3.0, section 6.8.2).
 * Guarded by its owner's lock.
 *
 * <p>Every entry is masked after a reset. Where somebody else may keep the table that the guest sees, and this one is
 * never written, such a mask means nothing: there the mask of an entry counts once the entry was written.
 */
final class MsixTableWords {

    private static final int WORDS = (int) (MsixEntry.SIZE / Integer.BYTES);
    private static final int DATA = (int) (MsixEntry.DATA / Integer.BYTES);
    private static final int CONTROL = (int) (MsixEntry.VECTOR_CONTROL / Integer.BYTES);
    private static final long WORD_MASK = 0xffff_ffffL;

    private final BarLayout bars;
    private final boolean masksUnwritten;
    private final int[] words;

    /** Whether the mask of an entry counts. */
    private final boolean[] counting;

    /** Masked by the embedder, whatever the guest has written. */
    private final boolean[] maskedByEmbedder;
    private boolean enabled;
    private boolean functionMasked;

    /**
     * A table as it is after a reset.
     *
     * @param masksUnwritten whether an entry that was not written since then is masked
     */
    MsixTableWords(BarLayout bars, boolean masksUnwritten) {
        this.bars = bars;
        this.masksUnwritten = masksUnwritten;
        this.words = new int[bars.vectors() * WORDS];
        this.counting = new boolean[bars.vectors()];
        this.maskedByEmbedder = new boolean[bars.vectors()];
        reset();
    }

    /** The function was reset; what the embedder has masked stays so. */
    void reset() {
        Arrays.fill(words, 0);
        for (int vector = 0; vector < bars.vectors(); vector++) {
            words[vector * WORDS + CONTROL] = MsixEntry.MASKED;
        }
        Arrays.fill(counting, masksUnwritten);
    }

    /** What message control says. */
    void control(boolean on, boolean masked) {
        enabled = on;
        functionMasked = masked;
    }

    /** What the embedder says of a vector, beside the guest. */
    void maskByEmbedder(int vector, boolean masked) {
        maskedByEmbedder[vector] = masked;
    }

    boolean masked(int vector) {
        return !enabled || functionMasked || maskedByEmbedder[vector]
                || (counting[vector] && (words[vector * WORDS + CONTROL] & MsixEntry.MASKED) != 0);
    }

    /** The two low bits of an entry's address are always 0, whatever the guest wrote there. */
    long address(int vector) {
        long low = words[vector * WORDS] & WORD_MASK & -Integer.BYTES;
        return low | (long) words[vector * WORDS + 1] << Integer.SIZE;
    }

    int data(int vector) {
        return words[vector * WORDS + DATA];
    }

    /** Reads the BAR: 4 or 8 bytes of the table or the pending bits, 0 between and behind them. */
    long read(long offset, int width, EventVectors pending) {
        if (!isAccess(offset, width)) {
            return 0;
        }
        long low = word(offset, pending);
        return width == Integer.BYTES ? low : low | word(offset + Integer.BYTES, pending) << Integer.SIZE;
    }

    /** Writes to the BAR; says whether that changed the table. */
    boolean write(long offset, int width, long value) {
        if (!isAccess(offset, width) || offset >= bars.tableSize()) {
            return false;
        }
        writeWord(offset, (int) value);
        if (width == Long.BYTES) {
            writeWord(offset + Integer.BYTES, (int) (value >>> Integer.SIZE));
        }
        return true;
    }

    private boolean isAccess(long offset, int width) {
        return (width == Integer.BYTES || width == Long.BYTES) && offset >= 0 && offset % width == 0
                && offset < bars.size(BarLayout.MSIX);
    }

    private long word(long offset, EventVectors pending) {
        if (offset < bars.tableSize()) {
            return words[(int) (offset / Integer.BYTES)] & WORD_MASK;
        }
        long bits = 0;
        long first = (offset - bars.pendingBits()) * Byte.SIZE;
        for (int i = 0; i < Integer.SIZE; i++) {
            boolean set = first >= 0 && first < bars.vectors() && pending.isPending((int) first + i);
            bits |= set ? 1L << i : 0;
        }
        return bits;
    }

    private void writeWord(long offset, int value) {
        int index = (int) (offset / Integer.BYTES);
        words[index] = index % WORDS == CONTROL ? value & MsixEntry.MASKED : value;
        counting[index / WORDS] = true;
    }
}
