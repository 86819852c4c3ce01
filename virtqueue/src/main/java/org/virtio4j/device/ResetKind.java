// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

/** What a reset takes back. All of them end every use of guest memory before they are complete. */
public enum ResetKind {
    /** The driver wrote 0 to the status (virtio 1.4, section 2.4). */
    DEVICE,
    /** The function was reset as a whole, as PCI's FLR does: transport registers too. */
    FUNCTION,
    /** The machine was reset: everything is as after power-on, also what survives the other two. */
    SYSTEM
}
