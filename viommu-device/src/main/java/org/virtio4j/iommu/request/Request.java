// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.queue.Chain;
import org.virtio4j.wire.iommu.ProbeRequest;

/** A slot for one request on its way through the device: its buffer, its fields read once, and what is answered. */
final class Request {

    /** The type of a request that is too short for its type, or cannot be read: it goes back unwritten. */
    static final int UNREADABLE = 0;

    Chain chain = new Chain();
    int type;
    int domain;
    int endpoint;
    int flags;
    /** Whether a reserved field that must be zero is not. */
    boolean reservedSet;
    long virtStart;
    long virtEnd;
    long physStart;

    /** What was copied of it, as many bytes as are looked at; means nothing where it was read in place. */
    final MemorySegment bytes = Arena.ofAuto().allocate(ProbeRequest.SIZE, Long.BYTES);
    int bytesRead;

    /** Whether a status is written at all; false for what was not understood. */
    boolean answered;
    int status;

    /** How many mappings it removed, by itself or because a domain ended. */
    long removed;

    /** What a PROBE is answered with, if its status is OK. */
    ReservedRegions properties = ReservedRegions.NONE;

    Request() {
    }
}
