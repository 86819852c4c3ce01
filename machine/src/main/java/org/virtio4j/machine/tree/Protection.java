// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How a tree says of a device that the hypervisor itself protects its DMA, so that the guest must not manage it. There
 * is no such device in the standards; what the form means is agreed between hypervisor and guest.
 */
public sealed interface Protection {

    /** The name of the default property. */
    String DEFAULT_NAME = "virtio4j,protected";

    /** The default: the property {@code virtio4j,protected} without a value. */
    Protection DEFAULT = new Property(Protection.DEFAULT_NAME, Optional.empty());

    /**
     * A property of the device's node. A kernel that does not know it ignores it, and works with the device as with one
     * that is behind no IOMMU.
     *
     * @param name begins with a vendor's prefix and a comma
     * @param value a string, or none if the property has no value
     */
    record Property(String name, Optional<String> value) implements Protection {

        /** The characters of the specification (0.4, section 2.2.4); dtc reads no others. */
        private static final Pattern NAME = Pattern.compile("[0-9a-zA-Z._+?#-]+,[0-9a-zA-Z,._+?#-]+");

        /**
         * Checks name and value.
         *
         * @throws IllegalArgumentException if it has no prefix or is no name of a property, or the value has other than
         *     printable ASCII characters
         */
        public Property {
            if (!NAME.matcher(name).matches()) {
                throw new IllegalArgumentException("name=" + name + ": must begin with a vendor's prefix and a comma,"
                        + " and have letters, digits and the characters , . _ + ? # - only");
            }
            new TreeNode("").put(name, bytes(value));
        }

        byte[] bytes() {
            return bytes(value);
        }

        private static byte[] bytes(Optional<String> value) {
            return value.map(PropertyValue::ofStrings).orElse(PropertyValue.empty());
        }
    }

    /**
     * A node that stands for an IOMMU which nobody can program ({@code #iommu-cells = <0>}), and which the devices'
     * nodes name in {@code iommus}. Only for devices that are not on PCI: how long an entry of {@code iommu-map} is
     * that leads to such a node depends on the version of Linux.
     *
     * <p><strong>A guest without a driver for the node may wait for one for ever, and never use the device.</strong>
     * Linux defers the probing of a device whose IOMMU has no driver yet. Debian's 6.12 for arm64 was seen to do so
     * for eleven seconds after its start; there is no limit where its command line says {@code
     * deferred_probe_timeout=-1}. Use this form only if all guests have the driver.
     *
     * @param compatible what the driver knows the node by
     */
    record StubIommu(String compatible) implements Protection {

        /**
         * Checks the string.
         *
         * @throws IllegalArgumentException if it is empty or has other than printable ASCII characters
         */
        public StubIommu {
            if (compatible.isEmpty() || PropertyValue.ofStrings(compatible).length == 0) {
                throw new IllegalArgumentException("compatible='': must name a driver");
            }
        }
    }
}
