// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A kind of table: a section in the former format. */
enum ConfigTable {
    /** A guest. Those below are tables in it; in the former format they follow it. */
    MACHINE("[[machine]]"),
    /** One in each machine. */
    IOMMU("[machine.iommu]"),
    /** Any number. */
    DISK("[[machine.disk]]"),
    /** Any number. */
    RNG("[[machine.rng]]"),
    /** Any number. */
    CONSOLE("[[machine.console]]");

    private final String header;

    ConfigTable(String header) {
        this.header = header;
    }

    /** The word in the brackets of the former format, and the last one in those of TOML. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The line that begins the table in TOML. */
    String header() {
        return header;
    }

    /** The line that begins the section in the former format, without a name. */
    String formerHeader() {
        return "[" + word() + "]";
    }

    /** All keys in TOML. */
    List<ConfigKey> keys() {
        return switch (this) {
            case MACHINE -> Keys.OF_MACHINE;
            case IOMMU -> Keys.OF_IOMMU;
            case DISK -> Keys.OF_DISK;
            case RNG -> Keys.OF_RNG;
            case CONSOLE -> Keys.OF_CONSOLE;
        };
    }

    /** All keys in the former format, where the name of a machine is no key. */
    List<ConfigKey> formerKeys() {
        return keys().stream().filter(key -> !key.equals(Keys.NAME)).toList();
    }

    Optional<ConfigKey> key(String name) {
        return keys().stream().filter(key -> key.name().equals(name)).findFirst();
    }

    static Optional<ConfigTable> of(String word) {
        return Arrays.stream(values()).filter(table -> table.word().equals(word)).findFirst();
    }

    static List<String> words() {
        return Arrays.stream(values()).map(ConfigTable::word).toList();
    }
}
