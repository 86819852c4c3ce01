// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.block;

/** Types of requests (virtio 1.4, section 5.2.6). */
public final class RequestType {
    /** Reads sectors. */
    public static final int IN = 0;
    /** Writes sectors. */
    public static final int OUT = 1;
    /** Makes all completed writes stable. */
    public static final int FLUSH = 4;
    /** Asks for the device's name. */
    public static final int GET_ID = 8;
    /** Asks how worn the storage is. */
    public static final int GET_LIFETIME = 10;
    /** Says that the contents of sectors are not needed any more. */
    public static final int DISCARD = 11;
    /** Fills sectors with zeros. */
    public static final int WRITE_ZEROES = 13;
    /** Makes the contents of sectors unrecoverable. */
    public static final int SECURE_ERASE = 14;

    private RequestType() {
    }

    /**
     * Names a type for messages. Allocates for a number without a name; may be called from any thread.
     *
     * @param type first field of a request
     * @return the specification's name in upper case, or {@code TYPE_} and the number
     */
    public static String name(int type) {
        return switch (type) {
            case IN -> "IN";
            case OUT -> "OUT";
            case FLUSH -> "FLUSH";
            case GET_ID -> "GET_ID";
            case GET_LIFETIME -> "GET_LIFETIME";
            case DISCARD -> "DISCARD";
            case WRITE_ZEROES -> "WRITE_ZEROES";
            case SECURE_ERASE -> "SECURE_ERASE";
            default -> "TYPE_" + Integer.toUnsignedString(type);
        };
    }
}
