/** Entry of the DAX Window view's page. */
import './style/theme.css';
import './style/page.css';
import './style/head.css';
import './style/map.css';
import './style/details.css';
import './style/tables.css';
import './style/sizes.css';
import { DaxPage } from './view/daxPage';

const root = document.getElementById('dax');
if (root) new DaxPage(root);
