// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

/**
 * A blob is no device tree that can be read, or its tree is not what a caller can work with. The message is one
 * sentence, {@code device tree, byte 0x38: expected …, found …}, fit to be shown to a user as it is.
 */
public final class TreeFormatException extends Exception {
    private static final long serialVersionUID = 1L;

    private final long offset;
    private final String expected;

    TreeFormatException(long offset, String expected, String found) {
        super("device tree, byte 0x" + Long.toHexString(offset) + ": expected " + expected + ", found " + found);
        this.offset = offset;
        this.expected = expected;
    }

    /** A fault of the tree rather than of its bytes. */
    TreeFormatException(String place, String expected, String found) {
        super("device tree, " + place + ": expected " + expected + ", found " + found);
        this.offset = -1;
        this.expected = expected;
    }

    /**
     * Where the blob is not as it should be.
     *
     * @return bytes from the beginning of the blob, or -1 if the blob is well formed and a node in it is not as it
     *     should be; the message names the node then
     */
    public long offset() {
        return offset;
    }

    /**
     * What the format asks for at that place.
     *
     * @return a phrase in English
     */
    public String expected() {
        return expected;
    }
}
