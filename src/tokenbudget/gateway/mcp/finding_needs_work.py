"""What tasks about software, files and office work need unsaid; read `finding_needs` first."""

from __future__ import annotations

WORK = """
bar chart, bar graph, pie chart, line chart, line graph, radar chart, scatter plot, scatter chart,
 area chart, histogram, boxplot, box plot, heat map, funnel, treemap, sankey, word cloud, venn
 diagram, violin plot, org chart, organization chart, fishbone, column chart, dual ax
 => generate chart

chart, plot, visualize, visualise, visualization, graph, diagram, 图表
 => generate chart ; generate line chart 0.5 ; generate bar chart 0.5 ; generate pie chart 0.4

mind map, mindmap, mind-map, brainstorm, 思维导图 => generate mind map; convert markdown to mindmap

flowchart, flow chart, flow diagram, process diagram, sequence diagram, class diagram, uml, mermaid
 => generate flow diagram ; validate mermaid diagram

pin map, route map, on a map, map of, travel map
 => generate pin map ; generate path map ; geocode address 0.6

draw, drawing, paint, painting of, canva, pixel, rectangle, sketch
 => drawing generate canvas ; fill rectangle canvas ; get canvas png

svg, vector => svg image; convert svg to png 0.7

slide, slide deck, presentation, powerpoint, ppt, pptx, keynote, 幻灯片
 => create presentation ; add slide presentation ; save presentation ; add bullet points slide 0.4

word document, word file, docx, in word, 文档
 => create word document ; add paragraph word document ; add heading word document 0.6

spreadsheet, excel, xlsx, workbook, 表格 => excel sheet write; excel sheet read 0.6

heading, section, chapter => add heading document 0.6
table => add table document 0.4
footnote => add footnote document
endnote => add endnote document
page break => add page break
insert picture, insert image, insert the image, insert a picture, insert the picture, add picture
 => add picture document
bullet point, bulleted, bullet => add bullet points 0.4
find and replace, search and replace => search and replace text document
password protect, protect the document, encrypt the document => protect document password

leetcode, coding challenge, coding problem, coding interview, algorithm problem, contest, daily
 problem
 => get problem ; search problems ; daily challenge ; contest details 0.5 ; user submissions 0.4

library, framework, sdk, api reference, package documentation, next.js, react, vue, angular,
 svelte, django, flask, fastapi, spring boot, laravel, tailwind, up-to-date doc, documentation,
 doc, code snippet
 => resolve library id ; get library docs

ui, user interface, component library, ui component, frontend component, button component, date
 picker, modal, landing page, ant design, antd, shadcn, material ui, design system
 => list components ; component docs ; component examples ; search components 0.5

animation, animated, special effect, background effect, device mockup
 => ui animations ; special effects components ; ui components 0.6

tutorial, quick start, getting started, how to use, guide => docs 0.5; examples 0.4

icon => search icons; list icons 0.5; icons platform usage 0.5

npm, node package, node.js package, javascript package, bundle size
 => npm package latest ; npm search ; npm compare 0.7 ; npm size 0.6

maven, pom, gradle, java dependency, java library, groupid
 => maven latest release ; list maven versions ; check maven version exists 0.6

outdated, latest version, newest version, dependency, deprecated, changelog, release note
 => latest version release dependency ; package deprecated 0.4 ; changelog 0.4

vulnerability, cve, security audit, security issue => package vulnerabilities
license, licence => license compatibility
maintainer, maintained, maintenance, quality score => package maintenance; package quality score

docker, container, docker compose, image tag
 => list containers ; create container ; get logs container ; deploy compose 0.7

kubernetes, k8s, pod, deployment, cluster, helm, namespace
 => list pods ; kubectl get ; pod logs ; helm install 0.4

git repository, local repository, git repo, working tree, commit history, commit, repository
 status, uncommitted change
 => git status ; git log ; git diff 0.4

repository, repo => git status 0.7; git log 0.7
commit, staged, stage, unstaged, commit message => git add 0.7; git commit; git status 0.7
branch => git branch; create branch
merge conflict, diff, change between => git diff

github, open source project, open-source project, open source repository => search repositories 0.6
trending github, github trending, trending repository, popular repository, trending developer
 => github trending repositories ; github trending developers 0.6
deepwiki, codebase documentation, understand the repository, repository documentation
 => deepwiki fetch repository
pull request, merge request, code review
 => create pull request 0.7 ; list pull requests 0.6 ; get pull request files 0.5
issue, bug report => list issues 0.6; create issue 0.6; search issues 0.5
error tracking, exception, stack trace, crash => search errors issues 0.7; issue details 0.6
log work, log time, time spent, hour worked, time tracking => add worklog
to done, mark as done, close the ticket, close the issue, change the status, change status, set
 status, in progress, reopen, resolve the issue
 => transition issue ; update issue status
sprint, backlog, epic, jira, scrum => search jira issues; sprint issues; create jira issue 0.6
ci, pipeline, build failed, failing build => list pipelines; job log 0.7; workflow runs 0.6
database, sql, query the table, schema of => run query database; list tables; describe table 0.6
slack, team message, channel, chat message => send message channel; list channels 0.6
email, gmail, inbox, unread => search messages; send email; get message content 0.7
meeting, appointment, calendar event, schedule a meeting, invite, free time, availability
 => list calendar events ; create calendar event ; free busy 0.6
google drive, shared folder, drive file => search drive files; drive file content
contact, phone number => search contacts
notion, wiki page, knowledge base, confluence => search pages; get page 0.8; create page 0.6
virtual machine, vm, droplet, server instance, cloud server
 => list instances virtual machine ; create virtual machine 0.6
storage bucket, blob, s3, object storage => list storage; upload blob 0.5
subscription, resource group, tenant => list subscriptions; list resource groups

download => download file 0.6
remember, knowledge graph, memorize, remember that, relationship between
 => create entities ; create relations 0.8 ; add observations ; search nodes 0.6
take note, write a note, my note, note about, knowledge note, obsidian
 => write note ; search notes ; read note 0.6
into task, subtask, track progress, track them, keep track, project plan, task list, todo, to-do,
 to do list, plan the task, break down, milestone, step-by-step plan
 => request planning tasks ; get next task ; mark task done 0.5
think step by step, step by step reasoning, reason through, complex problem, think through
 => sequential thinking

convert to pdf, as a pdf, as pdf, to pdf, into pdf, pdf file => convert to pdf 0.8
merge pdf, combine pdf, merge the pdf, combine the pdf => merge pdf files
split pdf, split the pdf => split pdf file
html to markdown, convert html => html to markdown; html to text 0.6
markdown to html, convert markdown, convert format, file format => convert document format
clean html, html tag => clean html
compare file, compare two file, difference between file, difference between the two => text diff
encoding, utf-8, gbk => convert text encoding
split the file, split text => split text file
format the text, indentation => format text
exif, image metadata, photo metadata, tag the photo => write image metadata

rename, move the file, move file, reorganize, organize the file => move file; list directory 0.6
list file, list the file, folder content, directory content, file in, what file, folder structure,
 directory structure, in the folder, in the directory
 => list directory ; directory tree 0.7
create folder, create a folder, create directory, new folder, new directory => create directory
find file, search file, locate the file, look for file => search files
search code, in the code, codebase, grep, function definition => search code; read file 0.6
run command, run a command, shell, terminal, run the script, execute the script, run python,
 execute code, run it, run this, run the program, run the test, command line, install, process, cpu
 usage
 => start process command ; read process output 0.7 ; list processes 0.5
fix the bug, fix its bug, fix a bug, bug in, refactor, the function, fix the, unit test
 => search code ; edit file ; read file 0.8
edit the file, modify the file, replace in, update the file, fix the code => edit file; read file
read the file, open the file, content of, look at the file => read file
save to a file, save it to, save the result, write to, save as, saved at, saved in, saved to, save
 this, save it in, save it as, save it at, save the summary, save the report, write a file
 => write file 0.7
translate, translation => translate text
extract text, read pdf, pdf document, document text, summarize the document
 => read document ; read pdf
"""
