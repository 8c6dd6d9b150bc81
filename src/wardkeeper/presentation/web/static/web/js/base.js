// One script for every page: menus, dialogs, toasts, keys, times, lists and live parts.
// It holds no words: texts come from the page as data attributes.
import "./clicks.js";
import "./keys.js";
import "./lists.js";
import "./live.js";
import "./times.js";
import "./toasts.js";
import "./drafts.js";
