// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

/**
 * Why a queue takes no more buffers: the rule of virtio 1.4 that the driver broke. A queue keeps its first reason until
 * it is reset.
 */
public enum QueueFailure {
    /** Nothing is wrong. */
    NONE,
    /**
     * A part of the ring lies where there is no memory, or where the device may not reach it. Not latched while memory
     * is {@linkplain org.virtio4j.vmm.GuestMemory#beginExchange exchanged}, nor is {@link #INDIRECT_UNREACHABLE}.
     */
    RING_UNREACHABLE,
    /** The device gave the queue up, since something threw while it was served; {@link DeviceQueue#giveUp}. */
    GIVEN_UP,
    /** The driver moved the available index whenever the device asked to be notified of the next buffer. */
    NEVER_AT_REST,
    /** The available index is further ahead than the ring has free entries (section 2.7.13.3). */
    AVAILABLE_INDEX_AHEAD,
    /** A head in the available ring is not below the queue size (section 2.7.6). */
    HEAD_OUT_OF_RANGE,
    /** A head was made available again before its chain was used (section 2.7.13). */
    HEAD_IN_FLIGHT,
    /** The next field of a descriptor is not below the size of its table (section 2.7.5). */
    NEXT_OUT_OF_RANGE,
    /** A chain has more descriptors than the queue, or goes in a circle (section 2.7.5). */
    CHAIN_TOO_LONG,
    /** A device-readable descriptor comes after a device-writable one (section 2.7.4.2). */
    READABLE_AFTER_WRITABLE,
    /** An indirect descriptor without the feature bit (section 2.7.5.3.1). */
    INDIRECT_NOT_NEGOTIATED,
    /** An indirect descriptor inside an indirect table (section 2.7.5.3.1). */
    INDIRECT_IN_INDIRECT,
    /** A descriptor that is both indirect and continued (section 2.7.5.3.1). */
    INDIRECT_WITH_NEXT,
    /** An indirect table of no descriptor at all, or of a part of one (section 2.7.5.3). */
    INDIRECT_LENGTH,
    /** An indirect table that lies where there is no memory, or where the device may not reach it. */
    INDIRECT_UNREACHABLE
}
