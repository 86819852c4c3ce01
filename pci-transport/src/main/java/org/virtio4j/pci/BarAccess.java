// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

/**
 * Decodes accesses to the BARs by number, while the command register and the power state let them through. Any thread,
 * under no lock: every doorbell comes through here.
 */
final class BarAccess {

    private final BarLayout bars;
    private final VirtioStructures structures;
    private final VectorRoute vectors;

    private volatile boolean memorySpace;
    private volatile boolean awake = true;

    /** Memory space is disabled, and the function awake. */
    BarAccess(BarLayout bars, VirtioStructures structures, VectorRoute vectors) {
        this.bars = bars;
        this.structures = structures;
        this.vectors = vectors;
    }

    /** What the command register and the power state say from now on. */
    void allow(boolean memorySpaceOn, boolean isAwake) {
        awake = isAwake;
        memorySpace = memorySpaceOn;
    }

    boolean hasMemorySpace() {
        return memorySpace;
    }

    /** As {@link VirtioPciFunction#readBar}. */
    long readBar(int bar, long offset, int width) {
        return memorySpace ? read(bar, offset, width) : PciBus.allOnes(width);
    }

    /** As {@link VirtioPciFunction#writeBar}. */
    void writeBar(int bar, long offset, int width, long value) {
        if (memorySpace) {
            write(bar, offset, width, value);
        }
    }

    /** As {@link VirtioPciFunction#readRegion}. */
    long readRegion(int bar, long offset, int width) {
        return awake ? read(bar, offset, width) : PciBus.allOnes(width);
    }

    /** As {@link VirtioPciFunction#writeRegion}. */
    void writeRegion(int bar, long offset, int width, long value) {
        if (awake) {
            write(bar, offset, width, value);
        }
    }

    /** Reads whatever the command register says. */
    long read(int bar, long offset, int width) {
        return switch (bar) {
            case BarLayout.VIRTIO -> structures.read(offset, width);
            case BarLayout.MSIX -> vectors.read(offset, width);
            default -> 0;
        };
    }

    /** Writes whatever the command register says. */
    void write(int bar, long offset, int width, long value) {
        if (bar == BarLayout.VIRTIO) {
            structures.write(offset, width, value);
        } else if (bar == BarLayout.MSIX) {
            vectors.write(offset, width, value);
        }
    }

    /**
     * Whether the window of configuration space may lead here: a driver may use it for aligned accesses inside a
     * structure (section 4.1.4.9.2); others do nothing.
     */
    boolean isWindow(int bar, long offset, int length) {
        boolean width = length == Byte.BYTES || length == Short.BYTES || length == Integer.BYTES;
        return bar == BarLayout.VIRTIO && width && offset % length == 0 && bars.inStructure(offset, length);
    }
}
