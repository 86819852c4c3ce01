// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/** What a stretch of guest-physical addresses is. */
public enum RegionKind {
    /** Memory that devices read and write. */
    RAM,
    /** Memory that devices only read; a write is a bus error. */
    ROM,
    /** No memory: a message that is sent there is an interrupt; data that is read or written is a bus error. */
    DOORBELL
}
