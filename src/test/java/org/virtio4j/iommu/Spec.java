// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

/**
 * The numbers of virtio 1.4, section 5.13, written down a second time from its text: a wrong constant of the product
 * must not be right in the tests too.
 */
final class Spec {

    static final int ATTACH = 1;
    static final int DETACH = 2;
    static final int MAP = 3;
    static final int UNMAP = 4;
    static final int PROBE = 5;

    static final int ATTACH_F_BYPASS = 1;
    static final int MAP_F_READ = 1;
    static final int MAP_F_WRITE = 2;
    static final int MAP_F_MMIO = 4;
    static final int READ_WRITE = MAP_F_READ | MAP_F_WRITE;

    /** What {@link Reply#status} says of a request that went back unwritten; no status of the specification. */
    static final int UNANSWERED = -1;
    static final int OK = 0;
    static final int UNSUPP = 2;
    static final int DEVERR = 3;
    static final int INVAL = 4;
    static final int RANGE = 5;
    static final int NOENT = 6;
    static final int NOMEM = 8;

    static final int F_INPUT_RANGE = 0;
    static final int F_DOMAIN_RANGE = 1;
    static final int F_MAP_UNMAP = 2;
    static final int F_BYPASS = 3;
    static final int F_PROBE = 4;
    static final int F_MMIO = 5;
    static final int F_BYPASS_CONFIG = 6;

    static final int CONFIG_PAGE_SIZE_MASK = 0;
    static final int CONFIG_INPUT_START = 8;
    static final int CONFIG_INPUT_END = 16;
    static final int CONFIG_DOMAIN_START = 24;
    static final int CONFIG_DOMAIN_END = 28;
    static final int CONFIG_PROBE_SIZE = 32;
    static final int CONFIG_BYPASS = 36;
    static final int CONFIG_RESERVED = 37;
    static final int CONFIG_SIZE = 40;

    static final int FAULT_R_DOMAIN = 1;
    static final int FAULT_R_MAPPING = 2;
    static final int FAULT_F_READ = 1;
    static final int FAULT_F_WRITE = 2;
    static final int FAULT_F_ADDRESS = 0x100;
    static final int FAULT_SIZE = 24;

    /** Every request has a tail of this many bytes: the status, and three that are reserved. */
    static final int TAIL = 4;

    private Spec() {
    }

    /** The device-readable part of a type of request; 0 for a type that does not exist. */
    static int readableSize(int type) {
        return switch (type) {
            case ATTACH, DETACH -> 20;
            case MAP -> 36;
            case UNMAP -> 28;
            case PROBE -> 72;
            default -> 0;
        };
    }
}
