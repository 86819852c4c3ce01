// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/** Types of requests, the first byte of each (virtio 1.4, section 5.13.6). */
public final class RequestType {
    /** Puts an endpoint into a domain. */
    public static final int ATTACH = 1;
    /** Takes an endpoint out of a domain. */
    public static final int DETACH = 2;
    /** Adds one mapping to a domain. */
    public static final int MAP = 3;
    /** Removes the mappings inside a range from a domain. */
    public static final int UNMAP = 4;
    /** Asks for an endpoint's properties. */
    public static final int PROBE = 5;

    private RequestType() {
    }

    /**
     * How long the readable part of a request is. Any thread.
     *
     * @param type first byte of a request
     * @return bytes; of a type that does not exist, those of the head alone
     */
    public static long readableSize(int type) {
        return switch (type) {
            case ATTACH -> AttachRequest.SIZE;
            case DETACH -> DetachRequest.SIZE;
            case MAP -> MapRequest.SIZE;
            case UNMAP -> UnmapRequest.SIZE;
            case PROBE -> ProbeRequest.SIZE;
            default -> RequestHead.SIZE;
        };
    }

    /**
     * Names a type for messages. Allocates for a number without a name; may be called from any thread.
     *
     * @param type first byte of a request
     * @return the specification's name in upper case, or {@code TYPE_} and the number
     */
    public static String name(int type) {
        return switch (type) {
            case ATTACH -> "ATTACH";
            case DETACH -> "DETACH";
            case MAP -> "MAP";
            case UNMAP -> "UNMAP";
            case PROBE -> "PROBE";
            default -> "TYPE_" + type;
        };
    }
}
