// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

/**
 * A key of the configuration.
 *
 * @param name    as the user writes it
 * @param type    of its value
 * @param least   the smallest number; 0 for other types
 * @param most    the largest number; 0 for other types
 * @param example a value as TOML has it
 */
record ConfigKey(String name, Type type, long least, long most, String example) {

    /** What a value is in TOML. The former format has words for all of these. */
    enum Type {
        /** A string. */
        TEXT,
        /** An integer. */
        NUMBER,
        /** {@code true} or {@code false}; in the former format {@code yes} or {@code no}. */
        FLAG,
        /** An array of strings; in the former format words between spaces or commas. */
        LIST
    }

    static ConfigKey text(String name, String example) {
        return new ConfigKey(name, Type.TEXT, 0, 0, '"' + example + '"');
    }

    static ConfigKey number(String name, long least, long most) {
        return new ConfigKey(name, Type.NUMBER, least, most, Long.toString(most));
    }

    static ConfigKey flag(String name) {
        return new ConfigKey(name, Type.FLAG, 0, 0, "true");
    }

    static ConfigKey list(String name, String example) {
        return new ConfigKey(name, Type.LIST, 0, 0, example);
    }

    /** What a value must be, for a message about a TOML file. */
    String wanted() {
        return switch (type) {
            case TEXT -> "text in quotes such as " + example;
            case NUMBER -> "a number from " + least + " to " + most;
            case FLAG -> "true or false";
            case LIST -> "a list such as " + example;
        };
    }

    @Override
    public String toString() {
        return name;
    }
}
