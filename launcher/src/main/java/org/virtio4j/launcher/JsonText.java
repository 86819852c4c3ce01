// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.util.Locale;

/** Writes JSON (RFC 8259), indented, in the order of the calls. */
final class JsonText {

    private final StringBuilder text = new StringBuilder();
    private String indent = "\n";
    private boolean first = true;

    JsonText open(char bracket) {
        text.append(bracket);
        indent += "  ";
        first = true;
        return this;
    }

    JsonText close(char bracket) {
        indent = indent.substring(0, indent.length() - 2);
        if (!first) {
            text.append(indent);
        }
        text.append(bracket);
        first = false;
        return this;
    }

    /** Begins an element of an array. */
    JsonText element() {
        text.append(first ? "" : ",").append(indent);
        first = false;
        return this;
    }

    /** Begins a member of an object; its value follows. */
    JsonText key(String name) {
        element();
        string(name);
        text.append(": ");
        return this;
    }

    JsonText value(long number) {
        text.append(number);
        return this;
    }

    JsonText value(double number) {
        text.append(String.format(Locale.ROOT, "%.6f", number));
        return this;
    }

    JsonText value(boolean truth) {
        text.append(truth);
        return this;
    }

    JsonText nothing() {
        text.append("null");
        return this;
    }

    JsonText string(String value) {
        text.append('"');
        value.chars().forEach(this::append);
        text.append('"');
        return this;
    }

    @Override
    public String toString() {
        return text + "\n";
    }

    /** Beyond ASCII everything is escaped too, so that no reader must guess an encoding. */
    private void append(int unit) {
        if (unit == '"' || unit == '\\') {
            text.append('\\').append((char) unit);
        } else if (unit < ' ' || unit > '~') {
            text.append(String.format(Locale.ROOT, "\\u%04x", unit));
        } else {
            text.append((char) unit);
        }
    }
}
