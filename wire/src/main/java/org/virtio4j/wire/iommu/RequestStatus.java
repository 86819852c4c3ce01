// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/** What became of a request, the first byte of its tail (virtio 1.4, section 5.13.6). */
public final class RequestStatus {
    /** Done. */
    public static final int OK = 0;
    /** The transport between driver and device failed. */
    public static final int IOERR = 1;
    /** The device cannot do what was asked. */
    public static final int UNSUPP = 2;
    /** The device failed inside. */
    public static final int DEVERR = 3;
    /** A parameter makes no sense. */
    public static final int INVAL = 4;
    /** A parameter is outside its range or alignment, or an UNMAP would split a mapping. */
    public static final int RANGE = 5;
    /** There is no such endpoint or domain. */
    public static final int NOENT = 6;
    /** An address in the request cannot be accessed. */
    public static final int FAULT = 7;
    /** The device has no room left. */
    public static final int NOMEM = 8;

    private RequestStatus() {
    }

    /**
     * Names a status for messages. Allocates for a number without a name; may be called from any thread.
     *
     * @param status first byte of a request's tail
     * @return the specification's name in upper case, or {@code STATUS_} and the number
     */
    public static String name(int status) {
        return switch (status) {
            case OK -> "OK";
            case IOERR -> "IOERR";
            case UNSUPP -> "UNSUPP";
            case DEVERR -> "DEVERR";
            case INVAL -> "INVAL";
            case RANGE -> "RANGE";
            case NOENT -> "NOENT";
            case FAULT -> "FAULT";
            case NOMEM -> "NOMEM";
            default -> "STATUS_" + status;
        };
    }
}
