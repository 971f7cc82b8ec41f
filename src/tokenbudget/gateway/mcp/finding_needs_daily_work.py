"""The everyday words for software, files and office work; read `finding_needs_daily` first."""

from __future__ import annotations

DAILY_WORK = """
letter, memo, essay, cover letter, resume, cv, invitation, minute, proposal, handbook, brochure,
 write a report, report on, report about, research report, write an article, one-pager, briefing
 document, a document
 => create word document 0.8 ; add paragraph word document 0.8 ; add heading word document 0.4
section, chapter, headline, title page, append
 => add heading document 0.7 ; add paragraph document 0.7
swap, replace every, replace all, substitute, everywhere => search and replace text document
lock, password, encrypt, only people who know => protect document password
not editable, cannot be changed, printable, print out, for printing, print it, hand out, handout,
 portable document
 => convert to pdf
contract, invoice, receipt, leaflet, scanned, scan, statement, manual, user guide
 => read pdf 0.6 ; read document 0.5
into one file, into one document, single file, single document, one pdf, put together, stitch,
 join the, combine the, merge
 => merge pdf files 0.8
cut it, cut up, piece, chunk, divide into, break up the file, smaller file, split
 => split text file 0.7 ; split pdf file 0.6
two version, both version, old version, what changed, what has changed, difference between,
 difference, is different
 => text diff 0.8
size, how big, how large, kilobyte, megabyte, gigabyte, disk space, largest file
 => list directory sizes 0.7 ; file info size 0.6
was created, was taken, last modified, modified, creation date, file name, permission
 => file info 0.7
rename, tidy, sort into, sort the file, organise, organize, reorganise, clean up, subfolder
 => move file 0.8 ; list directory 0.7 ; create directory 0.6
all of them, every file, each file, all document, all the file, go through, several file, file
 there, which file
 => list directory 0.8 ; read multiple files 0.7
folder => list directory 0.7
notebook, note, jot, note down, write down, my thought, diary, journal, idea
 => write note ; search notes 0.8 ; read note 0.6 ; edit note 0.6
did i change, worked on, lately, remind me what => recent activity 0.8
to-dos, checklist, tick off, check off, should i do next, what come next, next step, work plan,
 action item
 => request planning tasks ; get next task 0.9 ; mark task done 0.9
outline of, structure of the document, table of content => document outline 0.8
template, placeholder, fill in => template info 0.5; populate placeholder 0.5
slideshow, deck, pitch, talk about, lesson, lecture about, present the, present to, classmate,
 training material
 => create presentation 0.8 ; add slide presentation 0.8 ; save presentation 0.7
existing presentation, that slide, the slide, slide number
 => open presentation 0.8 ; presentation slide info 0.5 ; save presentation 0.7
column, row, cell, sheet, worksheet, sum of the column
 => excel sheet read 0.7 ; excel sheet write 0.6
share of, proportion, breakdown, composition, split between, how the money, market share, part of
 a whole, portion
 => generate pie chart 0.8
developed, development of, evolution, over time, over the year, over the month, month by month,
 year by year, monthly, yearly, trend, trend over, curve, rise and fall, growth
 => generate line chart 0.8
side by side, ranked, ranking of, compare the number, comparison of, highest and lowest, bar
 diagram
 => generate bar chart 0.6 ; generate column chart 0.5
correlation, correlated, relation between, depend on, influence of => generate scatter chart 0.7
distribution of, how often, frequency => generate histogram chart 0.6
spread, outlier, quartile, median => generate boxplot chart 0.7
narrow down, conversion, conversion rate, drop-off, visitor, sign-ups => generate funnel chart 0.8
spider web, spider chart, rate them, rate each, criteria, strength and weakness, several
 dimension, score them
 => generate radar chart 0.8
flow of money, flow of energy, flow from, where the money goe => generate sankey chart 0.8
overlap, in common, have in common, intersection => generate venn chart 0.7
most frequent word, most common word, keyword cloud, tag cloud => generate word cloud chart
root cause, cause of, reason for, cause and effect => generate fishbone diagram 0.6
report to, hierarchy, boss, subordinate, org structure, reporting line
 => generate organization chart
connection between, who know whom, network of, relationship, family tree
 => generate network graph 0.7 ; create relations 0.5
gauge, progress bar, percent complete, completion rate, how full, level
 => generate liquid chart percentage 0.8
process, procedure, workflow, step of, how it work, decision point, stage
 => generate flow diagram 0.7
by region, by province, by state, by country, province, district, region
 => generate district map 0.6
as a picture, illustrate, graphic, as a chart, visual overview, at a glance => generate chart 0.7
overview of the structure, structure as, topic and subtopic, concept map, idea around
 => generate mind map 0.8 ; convert markdown mindmap 0.8
log in, sign in, sign up, click, press the button, type into, type in, choose from the menu, fill
 the form, tick the box
 => navigate browser url ; fill input field page 0.9 ; click element page 0.9
script error, javascript error, console, browser error => browser console logs
picture of the page, how the page look, look like on => screenshot page browser
page as pdf, website as pdf, web page as pdf => save page pdf browser; navigate browser url
plain text, text of the page, text of the site, read the page, read the article, what does the
 page
 => fetch website text 0.8 ; fetch url markdown 0.8
source of the page, html of, html source => fetch website html
api endpoint, endpoint, json from, rest api, http request, post request, get request
 => fetch json url 0.8 ; http get request 0.7 ; http post request 0.5
which page, list of page, search engine, all address, subpage, all link
 => sitemap pages ; sitemap tree 0.7
link => fetch url website 0.5
keyword, category, topic of => list tags categories 0.5
paint, circle, image of, pixel, colour, colored
 => drawing canvas generate 0.8 ; drawing fill rectangle 0.8 ; drawing canvas png 0.8
family member, sister, brother, friend of, relation, who is related
 => create entities 0.8 ; create relations 0.8 ; search nodes 0.7
you know about, do you know about, what you know, for later, keep in mind, remember
 => create entities 0.8 ; create relations 0.6 ; search nodes 0.8 ; read graph 0.6 ; add
    observations 0.6
puzzle, riddle, logic, reason, weigh up, step by step, pro and con, strategy
 => sequential thinking 0.7
security hole, vulnerable, known flaw, exploit, safe to use => package vulnerabilities
abandoned, still alive, still developed, actively developed, unmaintained
 => package maintenance ; package deprecated 0.7
instead of, replacement for, alternative, similar to, switch from, migrate from
 => package alternatives 0.8
bundle, lightweight, smallest, weigh least, kb => package bundle size 0.8
downloaded, download, adoption, how popular, popularity, widely used
 => package download trends 0.8 ; compare packages 0.6
typescript, type definition, typing => package typescript types 0.6
readme => package readme 0.6
does that version exist, release exist, version exist, is there a version => check version exists
newest stable, stable release, upgrade to, came out, all release, list of version
 => latest release version ; list versions 0.9
code is organised, architecture of, how it is built, inner working, source of the project
 => repository documentation wiki fetch
exercise, coding exercise, programming puzzle, interview question, practice
 => coding problem 0.8 ; search problems 0.8 ; daily challenge 0.6
record the change, recorded, check in, version control, edit, my edit, local change, uncommitted
 => git status 0.9 ; git diff unstaged 0.9 ; git add 0.8 ; git commit 0.8
new branch, on a branch, switch branch => create branch; checkout branch 0.8
who changed, last change, recent commit, commit log => git log
bring up, spin up, run postgre, run redis, run nginx, postgresql, redis, nginx, mysql, in a
 container
 => create container 0.9 ; container logs 0.7 ; list containers 0.5
print, output of the, server log => read process output 0.6; get logs 0.7
hang, stop it, freeze, kill it, take too long, still running, end the process
 => terminate process ; kill process 0.8
script, python script, py => start process 0.7; read process output 0.6
current documentation, up to date documentation, newest documentation, sample code, code sample,
 work in the newest, by its documentation
 => resolve library id ; get library docs
sign-up page, web form, page with, input component, form, button, dropdown, menu, dialog, sidebar,
 navbar, user interface for
 => list components 0.6 ; component docs 0.7 ; component examples 0.7
symbol, pictogram => search icons 0.8
sequence of, diagram of, state diagram, mermaid => validate mermaid diagram 0.7
registered, domain, registered until, belong to, network provider, ip
 => whois domain 0.9 ; whois ip 0.9
tag, strip => clean html 0.7
mention, occurrence, where the word, contain the word, in which file, search in
 => search code text files 0.8 ; find text in document 0.7
umlaut, broken character, garbled, latin-1, ascii, character set => convert text encoding
caption, alt text, tag my photo => write image metadata 0.9
what is in the picture, what it show, describe the picture, look at the picture, photo show, on
 the photo
 => extract image analyze
paste, insert into, place the picture, illustrated, with picture
 => add picture document 0.8 ; add image slide 0.6
article, blog post, story, newsletter, speech, summary document, guide for, itinerary, lesson
 plan, cover page
 => write file 0.5 ; create word document 0.5 ; add paragraph word document 0.4
compile, gather, collect, list them, list of all, in a list, record them, record the result, note
 the
 => write file 0.5
put the result, result in, result to, result into, send me a file, give me a file, as a file, text
 file, markdown file, in a file, to a file, into a file, locally, to disk, on my computer, on my
 desktop, json file, html file, python file, readme file
 => write file 0.9
log file, configuration file, config file, source file, given file, attached, attachment, uploaded
 file, the file at, the following file, these file, this file, my file
 => read file 0.9
data file, table of data, csv, record in, entry in, column of
 => read file 0.7 ; excel sheet read 0.6 ; document reader 0.4
docx file, word report, formatted document, official document, two-column, font, bold, italic,
 align
 => create word document 0.6 ; format text document 0.6 ; add paragraph word document 0.5
custom style, style, paragraph style => create custom style document 0.8
cover image, figure in the document, logo in => add picture document 0.7
remove the paragraph, delete the paragraph, take out the paragraph => delete paragraph document
copy of the document, duplicate the document, copy the document, backup copy => copy document 0.9
author of the document, word count, number of page, metadata of, property of the document
 => document info 0.8 ; file info 0.5
remove the password, unlock => unprotect document password
endnote, cite, citation in the document, source note => add endnote document 0.6; add footnote 0.7
convert the document, convert the word, docx to pdf, docx to html, word to pdf, word to html, doc
 to
 => docx to pdf 0.9 ; docx to html 0.8
beautify, pretty print, format the html, format html => html formatter
extract all link, all image of, resource of the page, extract the link, extract link, all link in
 => html extract resources
xml, convert json, json to xml, markdown to, to markdown
 => convert document format 0.8 ; html to markdown 0.6
indent, line spacing, tidy the text, clean up the text => text formatter 0.8
speaker, audience, conference talk, pitch deck, investor deck, product launch presentation,
 company presentation, business presentation, presentation about, presentation on, slide about,
 slide on, deck about, deck on
 => create presentation ; add slide presentation ; save presentation 0.9 ; auto generate
    presentation 0.5 ; add bullet points 0.4
theme, professional look, professional design, corporate colour, polished, beautiful slide
 => apply professional design presentation 0.8
transition => slide transitions 0.9
font => manage fonts 0.6
hyperlink, clickable => manage hyperlinks 0.8
arrow, shape, flow on the slide => add shape slide 0.7; add connector slide 0.6
speaker note, slide master, slide layout, layout of the slide => presentation layouts 0.7
chart on the slide, chart in the presentation, chart to the slide, graph on the slide, chart in
 powerpoint
 => add chart slide 0.9
table on the slide, table in the presentation, table to the slide => add table slide
picture on the slide, image on the slide, image to the slide, image in the presentation
 => manage image slide 0.8 ; add image presentation 0.6
delete the slide, remove the slide, remove slide, extra slide
 => delete slide ; insert blank slide 0.6
number of slide, how many slide => presentation info
vector graphic, svg code, as svg, vector image => save svg code 0.8; svg image 0.7
as png, png version, raster => convert to png 0.7
copy the sheet, duplicate the sheet, new sheet, sheet name, which sheet
 => copy sheet ; describe sheets 0.9
formatted table, excel table, a table in excel => excel create table 0.9
budget table, budget sheet, expense sheet, expense tracker, inventory, price list, attendance,
 timesheet
 => excel write sheet 0.9 ; calculate 0.5
statistical summary, average of each, mean, standard deviation, sum of, total, group by, pivot
 => excel sheet read 0.5 ; calculate expression 0.6
area chart, stacked, cumulative => generate area chart
nested share, tree map => generate treemap chart
distribution per group, violin => generate violin chart 0.8
double axis, two scale, dual axis, bar and line => generate dual axes chart
timeline, time line, milestone, roadmap => generate flow diagram 0.5; generate line chart 0.4
bar chart, histogram of, number of each, count per, per category, by category, top ten, top 10,
 top 5, top five
 => generate bar chart 0.5 ; generate column chart 0.4
percentage, share in percent, allocation, asset allocation, budget allocation
 => generate pie chart 0.7
price trend, price movement, price development, temperature trend, stock trend
 => generate line chart 0.8
skill of, ability, compare feature, multi-dimensional, rating of => generate radar chart 0.6
supply chain, energy balance, user journey, traffic source => generate sankey chart 0.6
company structure, management team, department, department of, team structure
 => generate organization chart 0.7
quality problem, why does, why did, failure analysis, problem analysis
 => generate fishbone diagram 0.5
study note, knowledge structure, key point, learning path, syllabus, curriculum, summary of the
 book
 => generate mind map 0.7 ; convert markdown mindmap 0.6
choropleth, sale map, population map => generate district map 0.8
shopping site, e-commerce, product page, online marketplace, marketplace
 => navigate browser url ; get visible page text 0.8 ; web search 0.6
official website, official site, home page of, the company website, their website, from the site
 => fetch url website 0.9 ; web search 0.6 ; navigate browser url 0.4
translate the page, content of the page, content of the site, webpage content, summarize the page,
 summarise the page, open the page, visit, visit the, go to the site, go to the page, given url
 => fetch url website 0.8 ; navigate browser url 0.7 ; get visible page text 0.6
upload, attach a file, choose file => upload file 0.7
drop-down, select the option => select element page 0.8
press enter, keyboard, shortcut => press key 0.8
test script, record the action, end-to-end test, generate a test => code generation session 0.8
user agent => custom user agent
screenshot of, capture the page, capture of the, snapshot of the page => screenshot page browser
which station, station of, all station in => stations code in city
user profile, submission of => user profile; user submissions 0.8
code example, example code, minimal example, how do i use, integrate, implement, set up
 => get library docs 0.7 ; resolve library id 0.7
package.json, npm package, javascript library, node module
 => package latest version ; package dependencies 0.8 ; package vulnerabilities 0.7 ; compare
    packages 0.6 ; search packages 0.6
dependency of, dependency tree, transitive => package dependencies
who maintain, owner of the package, author of the package => package maintainers
repository statistic, fork, contributor, github star => package repo stats 0.7
all version, version history, released version => package versions 0.8; list versions 0.8
build.gradle, artifact, spring, java project, groupid, jar
 => latest release version dependency ; list versions 0.7 ; check version exists 0.6
login form, data table, navigation, carousel, tooltip, upload component, select component, admin
 panel, dashboard page, component usage, prop
 => component docs ; component examples ; list components 0.8 ; search components 0.6
marquee, text effect, animated text, hero section, device frame, phone mockup, grid pattern,
 particle
 => text animations 0.8 ; special effects 0.7 ; backgrounds 0.7 ; device mocks 0.6 ; ui components
    0.7
app icon, arrow icon, icon for, icon set, icon library => search icons; icons platform usage 0.7
initialize, new repository, git init => git init
who committed, show the commit, last commit, commit message, commit since => git log; git show 0.7
unstage, undo staging => git reset
deploy, docker-compose, compose file, multi-container, microservice
 => deploy compose ; list containers 0.6 ; container logs 0.5
running container, container status => list containers
coding contest, weekly contest, contest rating, solved problem, dynamic programming, binary tree,
 two pointer, algorithm practice
 => search problems ; get problem 0.9 ; contest details 0.7 ; contest ranking 0.7
my submission, coding profile => user submissions; user profile 0.9
explain this repository, understand the project, project documentation, documentation of the
 repository, open-source repository
 => repository documentation fetch 0.9
edit the line, change line, line of the file, specific line
 => edit text file lines ; read text file 0.8
search for a file, file named, file matching, all py, all python file => search files
tree view, folder tree, recursive listing => directory tree
data analysis, analyze the data, analyse the data, data processing, python code, compute statistic
 => start process command 0.7 ; interact with process 0.6 ; read file 0.6
running program, memory usage, task manager, which process => list processes
kill the process, stop the process => kill process; list processes 0.7
write in my note, add to my note, knowledge base, meeting note, study note, link the note
 => write note ; search notes 0.7 ; edit note 0.6
move the note, note folder => move note
delete the note, remove the note => delete note
canva of note, visual board => canvas 0.7
people and their relation, who work with, entity, fact about people, social graph
 => create entities ; create relations 0.9 ; add observations 0.7 ; read graph 0.5
project task, split into step, step one, progress table, list of task, plan my week, daily plan,
 study plan, work breakdown, phase
 => request planning tasks 0.9 ; get next task 0.6 ; add tasks 0.5
new task to, add a task, extra task => add tasks request 0.8
task detail, status of the task => task details 0.8
flag of, pixel art, simple picture, logo drawing, coloured square, checkerboard
 => drawing canvas ; drawing fill rectangle ; drawing canvas png 0.9
read the text in the image, text in the picture, text from the image, screenshot file, analyze the
 image, analyse the image, describe the image, in the image, image at, picture at, image url, this
 image, this picture
 => extract image
location of the photo, tag the image, people in the photo, description of the image, image tag
 => write image metadata 0.8
top-level domain, tld, registrar of, domain expire, asn, hosting provider, who run the site
 => whois domain ; whois ip 0.7 ; whois top level domain 0.6
page on the site, structure of the website, website map
 => sitemap tree ; sitemap stats 0.8 ; sitemap pages 0.8
public api, call the api, api response, rest endpoint => http get request; fetch json url 0.9
"""
