// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.virtio4j.queue.Chain;

/** A slot for one request on its way through the device: its buffer, its fields read once, and what is answered. */
final class Request {

    /** The type of a request that is too short for its type, or cannot be read: it goes back unwritten. */
    static final int UNREADABLE = 0;

    final Chain chain = new Chain();
    int type;
    int domain;
    int endpoint;
    int flags;
    /** Whether a reserved field that must be zero is not. */
    boolean reservedSet;
    long virtStart;
    long virtEnd;
    long physStart;

    /** Whether a status is written at all; false for what was not understood. */
    boolean answered;
    int status;

    Request() {
    }
}
