// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.Path;
import java.util.List;
import org.virtio4j.command.CommandFailure;

/**
 * What a configuration says, in one of its two formats: the keys are known, the values have the types of their keys.
 * What follows from the values is not checked.
 *
 * @param path     where it was read
 * @param former   whether it has the format that is read for one version more
 * @param machines in order, at least one
 */
record ConfigFile(Path path, boolean former, List<MachineTables> machines) {

    /**
     * The tables of one machine.
     *
     * @param machine its own
     * @param iommu   of its IOMMU
     * @param devices of its disks and entropy sources, in the order of the file
     */
    record MachineTables(ConfigSection machine, ConfigSection iommu, List<ConfigSection> devices) {
    }

    /**
     * Reads a file.
     *
     * @param path of a file in UTF-8
     * @return what it says
     * @throws CommandFailure if it cannot be read, or something in it is not possible; it names the place
     */
    static ConfigFile read(Path path) throws CommandFailure {
        return of(path, ConfigText.read(path));
    }

    /** The same with a text that has been read. */
    static ConfigFile of(Path path, String text) throws CommandFailure {
        boolean former = FormerFormat.isFormer(text);
        return new ConfigFile(path, former,
                former ? FormerFormat.read(path, text) : TomlFormat.read(path, text));
    }
}
