// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import org.virtio4j.wire.pci.MsixCapability;

/**
 * What an embedder can choose about a function; {@link #DEFAULT} fits most.
 *
 * @param vectorCount           MSI-X vectors, 2 to 2,048; 0 for one a queue and one for the configuration
 * @param multifunction         whether the header says that the slot has other functions too; {@link PciBus} says so by
 *                              itself
 * @param rootComplexIntegrated whether the function sits on the root bus, and not behind a port, as its PCI Express
 *                              capability says
 * @param messages              whether the function has MSI-X; without it, its pin is the only interrupt
 */
public record PciOptions(int vectorCount, boolean multifunction, boolean rootComplexIntegrated, boolean messages) {

    /** As many vectors as there are events, alone in a slot of the root bus. */
    public static final PciOptions DEFAULT = new PciOptions(0, false, true, true);

    static final int FEWEST_VECTORS = 2;

    /**
     * Checks and keeps the values.
     *
     * @throws IllegalArgumentException if {@code vectorCount} is out of its range, or there are vectors without MSI-X
     */
    public PciOptions {
        if (!messages && vectorCount != 0) {
            throw new IllegalArgumentException("vectorCount=" + vectorCount + ", messages=false: a function without"
                    + " MSI-X has no vectors; choose one of the two");
        }
        if (vectorCount != 0 && (vectorCount < FEWEST_VECTORS || vectorCount > MsixCapability.MAX_ENTRIES)) {
            throw new IllegalArgumentException("vectorCount=" + vectorCount + ", but a function has " + FEWEST_VECTORS
                    + " to " + MsixCapability.MAX_ENTRIES + " MSI-X vectors; 0 chooses as many as it has events");
        }
    }

    /**
     * The same with another number of vectors.
     *
     * @param count 2 to 2,048; events may share one
     * @return new options
     * @throws IllegalArgumentException if {@code count} is out of its range, or there is no MSI-X
     */
    public PciOptions withVectorCount(int count) {
        return new PciOptions(count, multifunction, rootComplexIntegrated, messages);
    }

    /**
     * The same for function 0 of a slot that has others too.
     *
     * @return new options
     */
    public PciOptions withMultifunction() {
        return new PciOptions(vectorCount, true, rootComplexIntegrated, messages);
    }

    /**
     * The same for a function behind a root port or a switch.
     *
     * @return new options
     */
    public PciOptions behindPort() {
        return new PciOptions(vectorCount, multifunction, false, messages);
    }

    /**
     * The same without MSI-X: no capability, no table and no BAR for it. All events share the pin, and a driver reads
     * the ISR status at each interrupt. For an embedder that cannot unplug a function that has MSI-X.
     *
     * @return new options
     */
    public PciOptions withoutMessages() {
        return new PciOptions(0, multifunction, rootComplexIntegrated, false);
    }

    /** How many vectors a device with so many queues gets. */
    int vectorsFor(int queues) {
        if (!messages) {
            return 0;
        }
        int wanted = vectorCount == 0 ? queues + 1 : vectorCount;
        return Math.clamp(wanted, FEWEST_VECTORS, MsixCapability.MAX_ENTRIES);
    }
}
