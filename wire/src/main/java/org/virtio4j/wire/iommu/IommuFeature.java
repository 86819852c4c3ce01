// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/** Numbers of the IOMMU device's own feature bits (virtio 1.4, section 5.13.3). */
public final class IommuFeature {
    /** The configuration space tells which I/O virtual addresses can be mapped. */
    public static final int INPUT_RANGE = 0;
    /** The configuration space tells which domain numbers can be used. */
    public static final int DOMAIN_RANGE = 1;
    /** MAP and UNMAP requests are available. */
    public static final int MAP_UNMAP = 2;
    /** Unattached endpoints bypass; superseded by {@link #BYPASS_CONFIG} and not for new devices. */
    public static final int BYPASS = 3;
    /** The PROBE request is available. */
    public static final int PROBE = 4;
    /** {@link MapRequest#FLAG_MMIO} is available. */
    public static final int MMIO = 5;
    /** The configuration space has a bypass byte, and {@link AttachRequest#FLAG_BYPASS} is available. */
    public static final int BYPASS_CONFIG = 6;
    /**
     * The configuration space describes which devices are endpoints, see {@link TopologyConfig}: not part of the
     * standard, but of a proposal that came before it and used the number of {@link #BYPASS_CONFIG}. A device has
     * either; a driver knows which one by the field at {@link TopologyConfig#OFFSET}, which is at least {@link
     * TopologyConfig#ITEMS}. In a device with {@link #BYPASS_CONFIG} those bytes are 0 or 1.
     */
    public static final int TOPOLOGY = 6;

    private IommuFeature() {
    }
}
